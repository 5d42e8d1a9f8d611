/** Input of a client that has no backend yet. @module */
import type { Connection } from "../../socket/connection.ts";
import type { FrameSink } from "../../socket/connection/frame_iterator.ts";

// A request fits in; more is left in the kernel, so that waiting clients cannot fill the memory.
const MOST_HELD = 16 * 1024;

/**
 * Reads from a client while its backend is being dialed, so that a reset is noticed at once, and keeps what it reads.
 *
 * A client that has sent more than 16 KiB is not read from anymore until {@linkcode EarlyReader.passTo}, and its reset is
 * noticed only then.
 */
export class EarlyReader implements FrameSink<Uint8Array> {
  readonly keepsNothing = true;
  readonly #client: Connection<Uint8Array>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #onward: FrameSink<Uint8Array> | undefined;
  /** Set when the input ends before the backend is there. */
  #end: { readonly error: unknown } | undefined;

  /** @param start Input that was read before, if any. */
  constructor(client: Connection<Uint8Array>, start?: Uint8Array) {
    this.#client = client;
    if (start !== undefined && start.length > 0) this.#hold(start);
    client.feed(this);
  }

  take(pieces: readonly Uint8Array[]): boolean | void {
    if (this.#onward !== undefined) return this.#onward.take(pieces);
    for (const piece of pieces) this.#hold(piece);
    return this.#heldBytes < MOST_HELD;
  }

  ended(error?: unknown): void {
    if (this.#onward !== undefined) this.#onward.ended(error);
    else this.#end = { error };
  }

  /** Passes the input on, from its start. */
  passTo(onward: FrameSink<Uint8Array>): void {
    this.#onward = onward;
    const held = this.#held;
    this.#held = [];
    const taken = held.length === 0 || onward.take(held) !== false;
    if (this.#end !== undefined) onward.ended(this.#end.error);
    else if (taken) this.#client.feedOn();
  }

  /** Copies a piece, because the next read overwrites its memory. */
  #hold(piece: Uint8Array): void {
    this.#held.push(piece.slice());
    this.#heldBytes += piece.length;
  }
}
