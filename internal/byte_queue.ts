/** Bytes gathered until somebody takes them. Pure. @module */

/** The first allocation, where less than this is pushed: a few short frames fit, an idle peer costs nothing. */
const FIRST_CAPACITY = 256;

/**
 * Bytes gathered into one run, in order. What is pushed is copied at once, so the caller may reuse its buffer;
 * the space doubles as it fills, so that gathering is linear in the bytes however small the pieces are.
 */
export class ByteQueue {
  #bytes = new Uint8Array(0);
  #size = 0;

  /** What waits in here, in bytes. */
  get size(): number {
    return this.#size;
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

  /** Takes out all that waits, as bytes that nothing else will touch. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#size);
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
