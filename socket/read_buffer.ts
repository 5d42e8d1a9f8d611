/** A read buffer that starts small and follows what the peer sends. Pure. @module */

const SMALLEST = 512; // A pending read pins its buffer: this is most of what an idle connection costs here.
const LARGEST = 64 * 1024;
const GROWTH = 4;
const SMALL_READS_TO_SHRINK = 64;

/**
 * Grows when a read fills it, shrinks after many reads that would have fitted a smaller one. No node Buffer, whatever
 * that would save the decoders of text: its `slice` copies nothing, and codecs copy their frames with that.
 */
export class ReadBuffer {
  #bytes = new Uint8Array(SMALLEST);
  #smallReads = 0;

  /** The buffer to read into. */
  free(): Uint8Array {
    return this.#bytes;
  }

  /** The `count` bytes that a read gave, good until the next read. */
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
