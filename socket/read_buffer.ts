/** A read buffer that starts small and follows what the peer sends. Pure. @module */
import { Buffer } from "node:buffer";

const SMALLEST = 512; // A pending read pins its buffer: this is most of what an idle connection costs here.
const LARGEST = 64 * 1024;
const GROWTH = 4;
const SMALL_READS_TO_SHRINK = 64;

/**
 * Grows when a read fills it, shrinks after many reads that would have fitted a smaller one. Its bytes are a node Buffer,
 * which is the quickest to make short text of.
 */
export class ReadBuffer {
  #bytes: Uint8Array = Buffer.alloc(SMALLEST);
  #smallReads = 0;

  /** The buffer to read into. */
  free(): Uint8Array {
    return this.#bytes;
  }

  /** The `count` bytes that a read gave, good until the next read. */
  filled(count: number): Uint8Array {
    const bytes = this.#bytes;
    if (count === bytes.length && count < LARGEST) {
      this.#bytes = Buffer.alloc(Math.min(count * GROWTH, LARGEST));
      this.#smallReads = 0;
    } else if (bytes.length > SMALLEST && count <= bytes.length / GROWTH) {
      if (++this.#smallReads === SMALL_READS_TO_SHRINK) {
        this.#bytes = Buffer.alloc(Math.max(bytes.length / GROWTH, SMALLEST));
        this.#smallReads = 0;
      }
    } else {
      this.#smallReads = 0;
    }
    return bytes.subarray(0, count);
  }
}
