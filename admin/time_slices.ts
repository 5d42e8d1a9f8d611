/** Long computations in slices, between which the event loop does other work. @module */
import type { Clock } from "../internal/clock.ts";

/** Longest slice in ms: what a message waits at most for an operator who looks at its server. */
const SLICE = 1;

/**
 * Divides a long computation into slices of about 1 ms.
 *
 * @example
 * ```ts
 * import { TimeSlices } from "./time_slices.ts";
 * import { systemClock } from "../socket/tcp.ts";
 *
 * const slices = new TimeSlices(systemClock);
 * for (let step = 0; step < 100; step++) {
 *   // One step of the computation.
 *   if (slices.over) await slices.next();
 * }
 * ```
 */
export class TimeSlices {
  readonly #clock: Clock;
  #begin: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begin = clock.now();
  }

  /** Whether this slice has lasted long enough. */
  get over(): boolean {
    return this.#clock.now() - this.#begin >= SLICE;
  }

  /** Lets the event loop handle its input, and begins the next slice. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#begin = this.#clock.now();
  }
}
