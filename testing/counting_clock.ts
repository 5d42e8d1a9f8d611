/** A clock that counts its running timers, which no list of connections shows. @module */
import type { Clock, Timer } from "../internal/clock.ts";

/**
 * Wraps a clock and counts its timers.
 *
 * @example
 * ```ts
 * import { CountedClock, VirtualClock } from "@okline/okline/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new CountedClock(new VirtualClock());
 * const timer = clock.after(1000, () => {});
 * assertEquals(clock.running, 1);
 * timer.cancel();
 * assertEquals(clock.running, 0);
 * ```
 */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  #running = 0;

  /** Wraps a clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that have neither run nor been canceled. */
  get running(): number {
    return this.#running;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, run: () => void): Timer {
    let over = false;
    const end = (): void => {
      if (!over) this.#running--;
      over = true;
    };
    this.#running++;
    const timer = this.#clock.after(ms, () => {
      end();
      run();
    });
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }

  soon(run: () => void): void {
    this.#clock.soon(run);
  }
}
