/** Codec of the files service: lines, some of which are followed by a body of raw bytes. Pure. @module */
import type { Codec, Decoded, Decoder, Encoder } from "../../socket/codecs/codec.ts";
import { ByteQueue } from "../../internal/byte_queue.ts";
import { plural } from "../../internal/plural.ts";
import { FramingError } from "../../socket/errors.ts";
import { lineCodecWithin } from "../../socket/codecs/line_codec.ts";

/** A line, or a non-empty piece of the body that the line before it announced. */
export type FilesFrame = string | Uint8Array;

/** Returns the length in bytes of the body after a line; undefined for a line without a body. */
export type BodyLength = (line: string) => number | undefined;

/** Options for {@linkcode filesCodec}. */
export interface FilesCodecOptions {
  /** Maximum size in bytes of a received line. Default 64 KiB. */
  readonly maxLine?: number;
}

const LF = 10;
const UPLOAD = /^PUT [^ ]+ (\d{1,15})(?: (\d{1,15}))?$/;
const DOWNLOAD = /^body (\d{1,15})$/;

/** Returns the body length after a request: `PUT PATH SIZE [OFFSET]` has the bytes from the offset on. */
export function uploadLength(line: string): number | undefined {
  const [, size, offset = "0"] = UPLOAD.exec(line) ?? [];
  return size === undefined ? undefined : Math.max(0, Number(size) - Number(offset));
}

/** Returns the body length after an answer: that of `body LENGTH`. */
export function downloadLength(line: string): number | undefined {
  const length = DOWNLOAD.exec(line)?.[1];
  return length === undefined ? undefined : Number(length);
}

/** Decodes lines and the bodies that they announce. Encodes bytes as they are, and lines with their LF. */
export function filesCodec(bodyLength: BodyLength, limits: FilesCodecOptions = {}): Codec<FilesFrame> {
  const lines = lineCodecWithin(limits);
  return {
    copies: true,
    decoder: () => new FilesDecoder(lines.decoder(), bodyLength),
    encoder: () => new FilesEncoder(lines.encoder()),
  };
}

class FilesDecoder implements Decoder<FilesFrame> {
  readonly #lines: Decoder<string>;
  readonly #bodyLength: BodyLength;
  #bodyLeft = 0;

  constructor(lines: Decoder<string>, bodyLength: BodyLength) {
    this.#lines = lines;
    this.#bodyLength = bodyLength;
  }

  push(bytes: Uint8Array): Decoded<FilesFrame> {
    const frames: FilesFrame[] = [];
    for (let at = 0; at < bytes.length;) {
      if (this.#bodyLeft > 0) {
        const piece = bytes.slice(at, at + this.#bodyLeft);
        this.#bodyLeft -= piece.length;
        at += piece.length;
        frames.push(piece);
        continue;
      }
      // One line at a time, because a body can follow.
      const end = bytes.indexOf(LF, at);
      const next = end < 0 ? bytes.length : end + 1;
      const decoded = this.#lines.push(bytes.subarray(at, next));
      at = next;
      for (const line of decoded.frames) {
        frames.push(line);
        this.#bodyLeft = this.#bodyLength(line) ?? 0;
      }
      if (decoded.error) return { frames, error: decoded.error };
    }
    return { frames };
  }

  end(): FramingError | undefined {
    if (this.#bodyLeft === 0) return this.#lines.end();
    return new FramingError(
      "unterminated",
      `Input ended ${plural(this.#bodyLeft, "byte")} before the end of a body`,
    );
  }
}

class FilesEncoder implements Encoder<FilesFrame> {
  readonly #lines: Encoder<string>;
  readonly #bytes = new ByteQueue();

  constructor(lines: Encoder<string>) {
    this.#lines = lines;
  }

  get size(): number {
    return this.#bytes.size;
  }

  push(frame: FilesFrame): void {
    if (typeof frame === "string") {
      this.#lines.push(frame);
      this.#bytes.push(this.#lines.take());
    } else this.#bytes.push(frame);
  }

  take(): Uint8Array {
    return this.#bytes.take();
  }
}
