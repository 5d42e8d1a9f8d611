/** Gathers text and numbers as bytes until they are written. Pure. @module */
import { Buffer } from "node:buffer";
import { cutPiece, LARGEST_PIECE, roomForPiece } from "./slab.ts";

const utf8 = new TextEncoder();

/** Memory of a writer at first. Most turns fit. */
const ROOM = LARGEST_PIECE;
/** Pieces of memory to keep for the next writers, so that only writers with pending bytes hold memory. */
const POOLED = 256;
const NOTHING = new Uint8Array(0);
const pool: Uint8Array<ArrayBuffer>[] = [];

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
    buffer.set(this.#bytes.subarray(0, size));
    this.#clear();
    return size;
  }

  #grow(more: number): void {
    const size = this.#size + more;
    const old = this.#bytes;
    if (size <= ROOM) {
      this.#bytes = pool.pop() ?? new Uint8Array(ROOM);
      return;
    }
    this.#bytes = new Uint8Array(Math.max(size, 2 * old.length));
    this.#bytes.set(old.subarray(0, this.#size));
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
  if (bytes.length === ROOM && pool.length < POOLED) pool.push(bytes);
}
