/** Text frames that end in a delimiter, such as CRLF or NUL. Pure. @module */
import { plural } from "../../internal/plural.ts";
import { FramingError } from "../errors.ts";
import type { Codec, Decoded, Decoder, Encoder } from "./codec.ts";
import { encodeUtf8 } from "./utf8.ts";

/** Options for {@linkcode delimiterCodec}. */
export interface DelimiterOptions {
  /** The text that ends every frame, in both directions. */
  readonly delimiter: string;
  /** Most bytes of a received frame without its delimiter. Default 64 KiB. */
  readonly maxFrame?: number;
}

const DEFAULT_MAX_FRAME = 64 * 1024;

/**
 * Frames of UTF-8 text that end in a delimiter of any length. Unlike a line codec, it sends and expects exactly this
 * delimiter.
 *
 * @throws {RangeError} If the delimiter is empty, or `maxFrame` is not an integer from 1.
 *
 * @example
 * ```ts
 * import { delimiterCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = delimiterCodec({ delimiter: "\r\n" });
 * const encoder = codec.encoder();
 * encoder.push("EHLO client");
 * assertEquals(new TextDecoder().decode(encoder.take()), "EHLO client\r\n");
 * assertEquals(codec.decoder().push(new TextEncoder().encode("250 OK\r\n221")).frames, ["250 OK"]);
 * ```
 */
export function delimiterCodec({ delimiter, maxFrame = DEFAULT_MAX_FRAME }: DelimiterOptions): Codec<string> {
  if (delimiter === "") throw new RangeError('Cannot end frames in "": expected at least one character');
  if (!Number.isInteger(maxFrame) || maxFrame < 1) {
    throw new RangeError(`Cannot limit frames to ${maxFrame} bytes: expected an integer from 1`);
  }
  const end = encodeUtf8(delimiter).slice();
  return {
    copies: true,
    decoder: () => new DelimiterDecoder(end, maxFrame),
    encoder: () => new DelimiterEncoder(delimiter),
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class DelimiterDecoder implements Decoder<string> {
  readonly #delimiter: Uint8Array;
  readonly #maxFrame: number;
  /** The start of a frame; filled up to `#held`, grown by doubling. */
  #tail = new Uint8Array(0);
  #held = 0;

  constructor(delimiter: Uint8Array, maxFrame: number) {
    this.#delimiter = delimiter;
    this.#maxFrame = maxFrame;
  }

  push(bytes: Uint8Array): Decoded<string> {
    // A delimiter may begin in what is held, but a search need not go further back.
    const from = Math.max(0, this.#held - this.#delimiter.length + 1);
    this.#append(bytes);
    const frames: string[] = [];
    let start = 0;
    for (let at = this.#find(from); at >= 0; at = this.#find(start)) {
      if (at - start > this.#maxFrame) return { frames, error: this.#tooLong() };
      try {
        frames.push(utf8.decode(this.#tail.subarray(start, at)));
      } catch {
        return { frames, error: new FramingError("invalid-utf8", "Frame is not valid UTF-8") };
      }
      start = at + this.#delimiter.length;
    }
    const left = this.#held - start;
    this.#tail = left === 0 ? new Uint8Array(0) : this.#tail.copyWithin(0, start, this.#held);
    this.#held = left;
    // The last bytes may be the start of the delimiter.
    if (left - (this.#delimiter.length - 1) > this.#maxFrame) return { frames, error: this.#tooLong() };
    return { frames };
  }

  end(): FramingError | undefined {
    if (this.#held === 0) return undefined;
    return new FramingError(
      "unterminated",
      `Input ended inside a frame, ${plural(this.#held, "byte")} after its start`,
    );
  }

  #append(bytes: Uint8Array): void {
    const size = this.#held + bytes.length;
    if (size > this.#tail.length) {
      const grown = new Uint8Array(Math.max(size, Math.min(2 * this.#tail.length, 2 * this.#maxFrame)));
      grown.set(this.#tail.subarray(0, this.#held));
      this.#tail = grown;
    }
    this.#tail.set(bytes, this.#held);
    this.#held = size;
  }

  #find(from: number): number {
    const [first = 0] = this.#delimiter;
    const { length } = this.#delimiter;
    for (let at = this.#tail.indexOf(first, from); at >= 0; at = this.#tail.indexOf(first, at + 1)) {
      if (at + length > this.#held) return -1;
      let place = 1;
      while (place < length && this.#tail[at + place] === this.#delimiter[place]) place++;
      if (place === length) return at;
    }
    return -1;
  }

  #tooLong(): FramingError {
    return new FramingError("frame-too-long", `Frame is over the limit of ${plural(this.#maxFrame, "byte")}`);
  }
}

class DelimiterEncoder implements Encoder<string> {
  readonly #delimiter: string;
  #text = "";

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  get size(): number {
    return this.#text.length;
  }

  push(frame: string): void {
    if (frame.includes(this.#delimiter)) {
      throw new TypeError(`Cannot send ${JSON.stringify(frame.slice(0, 40))}: it contains the delimiter`);
    }
    this.#text += frame + this.#delimiter;
  }

  take(): Uint8Array {
    const bytes = encodeUtf8(this.#text);
    this.#text = "";
    return bytes;
  }
}
