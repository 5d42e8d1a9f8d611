/** A read buffer that adapts its size. Pure. @module */

const SMALLEST = 512; // A pending read pins its buffer: it is most of the memory of an idle connection.
const LARGEST = 64 * 1024;
const GROWTH = 4;
const SMALL_READS_TO_SHRINK = 64;

/**
 * Grows when a read fills it, and shrinks after many reads that fit a smaller buffer. It is not a Node Buffer, although
 * that would speed up text decoders: its `slice` does not copy, and codecs rely on that copy.
 */
export class ReadBuffer {
  #bytes = new Uint8Array(SMALLEST);
  #smallReads = 0;

  /** The buffer to read into. */
  free(): Uint8Array {
    return this.#bytes;
  }

  /** Returns the `count` bytes of a read, valid until the next read. */
  filled(count: number): Uint8Array {
    const bytes = this.#bytes;
    if (count === bytes.length && count < LARGEST) {
      this.#bytes = new Uint8Array(Math.min(count * GROWTH, LARGEST));
      this.#smallReads = 0;
    } else if (bytes.length > SMALLEST && count <= bytes.length / GROWTH) {
      if (++this.#smallReads === SMALL_READS_TO_SHRINK) {
        this.#bytes = new Uint8Array(Math.max(bytes.length / GROWTH, SMALLEST));
        this.#smallReads = 0;
      }
    } else {
      this.#smallReads = 0;
    }
    return bytes.subarray(0, count);
  }
}
