/** Recognizes messages that a bus delivers twice. Pure. @module */

const SIZE = 4096;

/**
 * The sequence numbers seen from one sender. Numbers may arrive out of order; those too far behind the newest
 * count as seen, so that memory is bounded. The technique is the anti-replay window of IPsec (RFC 4303, 3.4.3).
 */
export class SequenceWindow {
  readonly #seen = new Uint8Array(SIZE);
  #newest = 0;

  /** Marks a number, and returns whether it is new. */
  accept(sequence: number): boolean {
    if (sequence <= this.#newest - SIZE || sequence <= 0) return false;
    if (sequence > this.#newest) {
      const from = Math.max(this.#newest + 1, sequence - SIZE + 1);
      for (let skipped = from; skipped < sequence; skipped++) this.#seen[skipped % SIZE] = 0;
      this.#newest = sequence;
    } else if (this.#seen[sequence % SIZE] === 1) {
      return false;
    }
    this.#seen[sequence % SIZE] = 1;
    return true;
  }
}
