/** Gathers text and numbers as bytes until they are written. Pure. @module */
import { Buffer } from "node:buffer";
import { copyBytes, type Line, SHORT_COPY } from "./line.ts";
import { cutPiece, LARGEST_PIECE, roomForPiece } from "./slab.ts";

const utf8 = new TextEncoder();

/** Memory that is kept for the next writers, so that only writers with pending bytes hold memory: sizes and numbers. */
const SMALL = 1024;
const POOLS = [[SMALL, 1024], [LARGEST_PIECE, 256]].map(([size, most]) => ({
  size: size!,
  most: most!,
  free: [] as Uint8Array<ArrayBuffer>[],
}));
const LF = 10;
const NOTHING = new Uint8Array(0);

/**
 * Bytes that wait to be written. In contrast to text that is joined and encoded at the end, a frame costs one pass over its
 * units, and no string of its own.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer> = NOTHING;
  #size = 0;

  /** Pending bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Sets the number of pending bytes: to more after writing to reserved memory, and to fewer to remove the part of a frame
   * that could not be encoded to its end.
   */
  set size(size: number) {
    this.#size = size;
  }

  /** Returns memory for `more` bytes from `size` on, to be written there before `size` is set. */
  reserve(more: number): Uint8Array {
    if (this.#size + more > this.#bytes.length) this.#grow(more);
    return this.#bytes;
  }

  /** Adds text in UTF-8. */
  text(text: string): void {
    const bytes = this.reserve(Buffer.byteLength(text));
    this.#size += utf8.encodeInto(text, bytes.subarray(this.#size)).written;
  }

  /** Adds a line and its LF. */
  line({ bytes, start, end }: Line): void {
    const size = this.#size;
    const next = size + end - start + 1;
    const into = next > this.#bytes.length ? this.reserve(next - size) : this.#bytes;
    copyBytes(bytes, start, end, into, size);
    into[next - 1] = LF;
    this.#size = next;
  }

  /** Adds the bytes from `start` to `end`. */
  bytes(bytes: Uint8Array, start: number, end: number): void {
    const into = this.reserve(end - start);
    copyBytes(bytes, start, end, into, this.#size);
    this.#size += end - start;
  }

  /** Removes and returns all bytes. The caller owns them. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#size);
    const taken = this.#size > LARGEST_PIECE ? bytes : copyOf(bytes);
    this.#clear();
    return taken;
  }

  /** Removes all bytes and writes them to the start of `buffer`. Returns their number, or `undefined` if they do not fit. */
  takeInto(buffer: Uint8Array): number | undefined {
    const size = this.#size;
    if (size > buffer.length) return undefined;
    const bytes = this.#bytes;
    // A view of the pending bytes alone would be garbage for every write.
    if (size > SHORT_COPY && bytes.length <= SMALL && bytes.length <= buffer.length) buffer.set(bytes);
    else copyBytes(bytes, 0, size, buffer, 0);
    this.#clear();
    return size;
  }

  #grow(more: number): void {
    const size = this.#size + more;
    const old = this.#bytes;
    const pool = POOLS.find((pool) => size <= pool.size);
    this.#bytes = pool?.free.pop() ?? new Uint8Array(pool?.size ?? Math.max(size, 2 * old.length));
    if (this.#size > 0) this.#bytes.set(old.subarray(0, this.#size));
    release(old);
  }

  #clear(): void {
    release(this.#bytes);
    this.#bytes = NOTHING;
    this.#size = 0;
  }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  roomForPiece(bytes.length).set(bytes);
  return cutPiece(bytes.length);
}

function release(bytes: Uint8Array<ArrayBuffer>): void {
  const pool = POOLS.find(({ size }) => size === bytes.length);
  if (pool !== undefined && pool.free.length < pool.most) pool.free.push(bytes);
}
