/** Input of a client that has no backend yet. @module */
import type { Connection } from "../../socket/connection.ts";

// A request fits in; more is left in the kernel, so that waiting clients cannot fill the memory.
const MOST_HELD = 16 * 1024;

/**
 * Reads from a client while its backend is being dialed, so that a reset is noticed at once, and keeps what it reads.
 *
 * A client that has sent more than 16 KiB is not read from anymore until {@linkcode EarlyReader.batches} is iterated, and
 * its reset is noticed only then.
 */
export class EarlyReader {
  readonly #live: AsyncIterator<readonly Uint8Array[]>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #pending: Promise<IteratorResult<readonly Uint8Array[]>> | undefined;
  #taken = false;

  /** @param start Input that was read before, if any. */
  constructor(client: Connection<Uint8Array>, start?: Uint8Array) {
    this.#live = client.batches();
    if (start !== undefined && start.length > 0) this.#hold(start);
    this.#readOn();
  }

  /** Returns the input from its start, for a single loop. Ends as {@linkcode Connection.batches} does. */
  batches(): AsyncIterable<readonly Uint8Array[]> {
    this.#taken = true;
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) };
  }

  #next(): Promise<IteratorResult<readonly Uint8Array[]>> {
    if (this.#held.length > 0) {
      const value = this.#held;
      this.#held = [];
      return Promise.resolve({ done: false, value });
    }
    const pending = this.#pending ?? this.#live.next();
    this.#pending = undefined;
    return pending;
  }

  #readOn(): void {
    this.#pending = this.#live.next();
    this.#pending.then((result) => {
      // Since the loop began, the result belongs to it.
      if (this.#taken || result.done) return;
      // The pieces are in the read buffer, which the next read overwrites.
      for (const piece of result.value) this.#hold(piece.slice());
      this.#pending = undefined;
      if (this.#heldBytes < MOST_HELD) this.#readOn();
    }, () => {}); // The loop meets the error too, because the promise stays pending for it.
  }

  #hold(piece: Uint8Array): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }
}
