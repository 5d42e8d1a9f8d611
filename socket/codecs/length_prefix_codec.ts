/** A codec for frames with a length prefix. Pure. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import type { Codec, Decoded, Decoder, Encoder } from "./codec.ts";
import { plural } from "../../internal/plural.ts";
import { FramingError } from "../errors.ts";

/** The format of the length: 1, 2, or 4 bytes, big-endian, or an unsigned LEB128 of 1 to 5 bytes. */
export type LengthPrefix = 1 | 2 | 4 | "varint";

/** Options for {@linkcode lengthPrefixCodec}. */
export interface LengthPrefixOptions {
  /** The format of the length. Default 4. */
  readonly prefix?: LengthPrefix;
  /** Maximum size of a frame in bytes, both ways, without its length. Default 65536, or the maximum of the prefix if less. */
  readonly maxFrame?: number;
}

const DEFAULT_MAX_FRAME = 64 * 1024;
const LARGEST: Readonly<Record<LengthPrefix, number>> = {
  1: 0xff,
  2: 0xffff,
  4: 0xffff_ffff,
  varint: 0xffff_ffff,
};
/** Five groups of seven bits hold every length up to 2^32 - 1. */
const MAX_VARINT_BYTES = 5;

/**
 * Returns a codec for binary frames with a length prefix. A frame can be empty. Memory grows with the bytes received, not
 * with the length that a peer announces. Frames of one read share memory: copy a frame before you transfer it to a
 * Worker or keep it for long. A varint must be in its shortest form, so that each frame has one encoding.
 *
 * LEB128 as in the DWARF 5 specification, 7.6.
 *
 * @param options The form of the length and the longest frame.
 * @throws {RangeError} If `maxFrame` is not an integer that fits the prefix.
 *
 * @example
 * ```ts
 * import { lengthPrefixCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lengthPrefixCodec({ prefix: 2 });
 * const encoder = codec.encoder();
 * encoder.push(new TextEncoder().encode("hi"));
 * const wire = encoder.take();
 * assertEquals([...wire], [0, 2, 104, 105]);
 * assertEquals(codec.decoder().push(wire).frames, [new Uint8Array([104, 105])]);
 * ```
 */
export function lengthPrefixCodec(options: LengthPrefixOptions = {}): Codec<Uint8Array> {
  const prefix = options.prefix ?? 4;
  const largest = LARGEST[prefix];
  const maxFrame = options.maxFrame ?? Math.min(DEFAULT_MAX_FRAME, largest);
  if (!Number.isInteger(maxFrame) || maxFrame < 0 || maxFrame > largest) {
    throw new RangeError(
      `Cannot limit frames to ${maxFrame} bytes: a length of type ${prefix} takes 0 to ${largest}`,
    );
  }
  return {
    copies: true,
    decoder: () => new LengthPrefixDecoder(prefix, maxFrame),
    encoder: () => new LengthPrefixEncoder(prefix, maxFrame),
  };
}

class LengthPrefixDecoder implements Decoder<Uint8Array> {
  readonly #prefix: LengthPrefix;
  readonly #maxFrame: number;
  /** Bytes of the length that have come; -1 while a body comes. */
  #lengthBytes = 0;
  #length = 0;
  readonly #partial = new ByteQueue();

  constructor(prefix: LengthPrefix, maxFrame: number) {
    this.#prefix = prefix;
    this.#maxFrame = maxFrame;
  }

  push(bytes: Uint8Array): Decoded<Uint8Array> {
    const frames: Uint8Array[] = [];
    // One copy for all whole frames in here: a small array of its own costs five times what a view does.
    let copy: Uint8Array | undefined;
    let copiedFrom = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#lengthBytes >= 0) {
        const error = this.#takeLengthByte(bytes[at++]!);
        if (error) return { frames, error };
        // An empty frame is complete with its length.
        if (this.#lengthBytes < 0 && this.#length === 0) frames.push(this.#finish(new Uint8Array(0)));
        continue;
      }
      const missing = this.#length - this.#partial.size;
      if (missing === this.#length && at + missing <= bytes.length) {
        if (copy === undefined) {
          copy = bytes.slice(at);
          copiedFrom = at;
        }
        frames.push(this.#finish(copy.subarray(at - copiedFrom, at - copiedFrom + missing)));
        at += missing;
        continue;
      }
      const piece = bytes.subarray(at, at + missing);
      at += piece.length;
      this.#partial.push(piece);
      if (piece.length === missing) frames.push(this.#finish(this.#partial.take()));
    }
    return { frames };
  }

  end(): FramingError | undefined {
    if (this.#lengthBytes === 0) return undefined;
    return new FramingError(
      "unterminated",
      this.#lengthBytes > 0
        ? "Stream ended inside a length"
        : `Stream ended after ${this.#partial.size} of a frame's ${plural(this.#length, "byte")}`,
    );
  }

  #finish(frame: Uint8Array): Uint8Array {
    this.#lengthBytes = 0;
    this.#length = 0;
    return frame;
  }

  #takeLengthByte(byte: number): FramingError | undefined {
    const complete = this.#prefix === "varint" ? this.#addGroup(byte) : this.#addByte(byte, this.#prefix);
    if (complete instanceof FramingError) return complete;
    if (!complete) return undefined;
    if (this.#length > this.#maxFrame) {
      return new FramingError(
        "frame-too-long",
        `Frame of ${plural(this.#length, "byte")} is over the limit of ${this.#maxFrame}`,
      );
    }
    this.#lengthBytes = -1;
    return undefined;
  }

  #addByte(byte: number, width: number): boolean {
    this.#length = this.#length * 256 + byte;
    return ++this.#lengthBytes === width;
  }

  #addGroup(byte: number): boolean | FramingError {
    // Multiplied, not shifted: a shift would turn the fifth group into a negative number.
    this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes++);
    const last = byte < 0x80;
    if (byte === 0 && this.#lengthBytes > 1) {
      return new FramingError("bad-length", "Length is not a varint in its shortest form");
    }
    if (!last && this.#lengthBytes === MAX_VARINT_BYTES) {
      return new FramingError("bad-length", `Length is a varint of over ${MAX_VARINT_BYTES} bytes`);
    }
    return last;
  }
}

class LengthPrefixEncoder implements Encoder<Uint8Array> {
  readonly #prefix: LengthPrefix;
  readonly #maxFrame: number;
  readonly #queue = new ByteQueue();

  constructor(prefix: LengthPrefix, maxFrame: number) {
    this.#prefix = prefix;
    this.#maxFrame = maxFrame;
  }

  get size(): number {
    return this.#queue.size;
  }

  push(frame: Uint8Array): void {
    if (frame.length > this.#maxFrame) {
      throw new RangeError(
        `Cannot send a frame of ${plural(frame.length, "byte")}: the limit is ${this.#maxFrame}`,
      );
    }
    if (this.#prefix === "varint") this.#pushVarint(frame.length);
    else this.#pushBigEndian(frame.length, this.#prefix);
    this.#queue.push(frame);
  }

  take(): Uint8Array {
    return this.#queue.take();
  }

  #pushBigEndian(length: number, width: number): void {
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) this.#queue.pushByte((length >>> shift) & 0xff);
  }

  #pushVarint(length: number): void {
    let rest = length;
    while (rest > 0x7f) {
      this.#queue.pushByte((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.#queue.pushByte(rest);
  }
}
