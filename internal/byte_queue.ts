/** A queue of bytes. Pure. @module */

/** Minimum allocation: a few short frames fit, and an idle peer costs nothing. */
const FIRST_CAPACITY = 256;

/**
 * A queue that joins bytes in order. `push` copies, so the caller can reuse its buffer. The capacity doubles when it is
 * full, so the time is linear in the bytes, however small the pieces are.
 */
export class ByteQueue {
  #bytes = new Uint8Array(0);
  #size = 0;

  /** Bytes in the queue. */
  get size(): number {
    return this.#size;
  }

  /** All bytes in the queue, valid until the next change. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  push(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** Adds one byte, as in a length or a line ending. */
  pushByte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#size++] = byte;
  }

  /** Removes and returns all bytes. The caller owns them. */
  take(): Uint8Array {
    const taken = this.bytes;
    this.#bytes = new Uint8Array(0);
    this.#size = 0;
    return taken;
  }

  #reserve(more: number): void {
    const needed = this.#size + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, FIRST_CAPACITY));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
