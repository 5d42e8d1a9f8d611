/** Frames of a fixed number of bytes. Pure. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import { plural } from "../../internal/plural.ts";
import { FramingError } from "../errors.ts";
import type { Codec, Decoded, Decoder, Encoder } from "./codec.ts";

/**
 * Frames of exactly `size` bytes. Frames that came in one read share its memory.
 *
 * @throws {RangeError} If `size` is not an integer from 1.
 *
 * @example
 * ```ts
 * import { fixedSizeCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = fixedSizeCodec({ size: 2 }).decoder();
 * assertEquals(decoder.push(new Uint8Array([1, 2, 3])).frames, [new Uint8Array([1, 2])]);
 * assertEquals(decoder.push(new Uint8Array([4])).frames, [new Uint8Array([3, 4])]);
 * ```
 */
export function fixedSizeCodec({ size }: { readonly size: number }): Codec<Uint8Array> {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Cannot make frames of ${size} bytes: expected an integer from 1`);
  }
  return {
    copies: true,
    decoder: () => new FixedSizeDecoder(size),
    encoder: () => new FixedSizeEncoder(size),
  };
}

class FixedSizeDecoder implements Decoder<Uint8Array> {
  readonly #size: number;
  readonly #partial = new ByteQueue();

  constructor(size: number) {
    this.#size = size;
  }

  push(bytes: Uint8Array): Decoded<Uint8Array> {
    const frames: Uint8Array[] = [];
    let at = 0;
    if (this.#partial.size > 0) {
      at = Math.min(bytes.length, this.#size - this.#partial.size);
      this.#partial.push(bytes.subarray(0, at));
      if (this.#partial.size < this.#size) return { frames };
      frames.push(this.#partial.take());
    }
    const whole = Math.floor((bytes.length - at) / this.#size) * this.#size;
    const copy = bytes.slice(at, at + whole);
    for (let start = 0; start < whole; start += this.#size) {
      frames.push(copy.subarray(start, start + this.#size));
    }
    if (at + whole < bytes.length) this.#partial.push(bytes.subarray(at + whole));
    return { frames };
  }

  end(): FramingError | undefined {
    const held = this.#partial.size;
    if (held === 0) return undefined;
    return new FramingError(
      "unterminated",
      `Stream ended after ${held} of a frame's ${plural(this.#size, "byte")}`,
    );
  }
}

class FixedSizeEncoder implements Encoder<Uint8Array> {
  readonly #size: number;
  readonly #queue = new ByteQueue();

  constructor(size: number) {
    this.#size = size;
  }

  get size(): number {
    return this.#queue.size;
  }

  push(frame: Uint8Array): void {
    if (frame.length !== this.#size) {
      throw new RangeError(
        `Cannot send a frame of ${plural(frame.length, "byte")}: expected exactly ${this.#size}`,
      );
    }
    this.#queue.push(frame);
  }

  take(): Uint8Array {
    return this.#queue.take();
  }
}
