/** The share of a busy connection in the time of its event loop. @module */
import type { FairScheduler, Resumable } from "./fairness.ts";

// A socket with more input is read again without waiting, and the runtime polls the others only when it is idle, or every
// 61 turns. With thousands of lines per turn, that is seconds. So a reader that is busy for this long, in ms, pauses.
const TURN_MS = 10;
/** A batch has at most this many frames. */
export const MAX_BATCH = 1024;

/**
 * Counts the frames that a reader delivers in a row, and pauses it when it has been busy for too long. After as many frames
 * as a batch may have, the clock is read. Large frames are few, and reading the clock costs little in comparison.
 */
export class TurnShare {
  readonly #scheduler: FairScheduler;
  readonly #reader: Resumable;
  /** Frames delivered since the clock was last read. */
  #inRow = 0;
  /** The time in ms since which the reader has been busy. */
  #busySince: number | undefined;
  #paused = false;

  constructor(scheduler: FairScheduler, reader: Resumable) {
    this.#scheduler = scheduler;
    this.#reader = reader;
  }

  /** Whether the reader pauses. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Number of frames before {@linkcode TurnShare.mustPause} reads the clock. */
  get left(): number {
    return MAX_BATCH - this.#inRow;
  }

  /** Counts frames. */
  deliver(count: number): void {
    this.#inRow += count;
  }

  /** Ends a pause. */
  resume(): void {
    this.#paused = false;
    this.begin();
  }

  /** Begins anew: the other connections had their turn. */
  begin(): void {
    this.#inRow = 0;
    this.#busySince = undefined;
  }

  /**
   * Whether the reader pauses; begins a pause after its share.
   *
   * @param takesTurns Whether it has one read per turn anyway.
   */
  mustPause(takesTurns: boolean): boolean {
    if (this.#paused || this.#inRow < MAX_BATCH) return this.#paused;
    this.#inRow = 0;
    if (takesTurns) return false;
    const now = this.#scheduler.now();
    this.#busySince ??= now;
    this.#paused = now - this.#busySince >= TURN_MS;
    if (this.#paused) this.#scheduler.add(this.#reader);
    return this.#paused;
  }

  /** Removes the reader from those that pause. It is for the caller to resume it. */
  leave(): void {
    this.#scheduler.remove(this.#reader);
  }
}
