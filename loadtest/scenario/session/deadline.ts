/** One timer for the deadlines of all requests of a session. @module */
import type { Clock, Timer } from "../../../internal/clock.ts";

/** A timer that is set to the earliest deadline. */
export class Deadline {
  readonly #clock: Clock;
  readonly #expire: () => void;
  #timer: Timer | undefined;
  #at = Infinity;

  /** @param expire Called when the deadline comes. A timer is set no more until the next one is watched. */
  constructor(clock: Clock, expire: () => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** Sets the timer to `deadline` if it is the earliest so far. Both times are in ms from the start of the run. */
  watch(deadline: number, now: number): void {
    if (deadline >= this.#at) return;
    this.#timer?.cancel();
    this.#at = deadline;
    this.#timer = this.#clock.after(deadline - now, () => {
      this.#at = Infinity;
      this.#expire();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
  }
}
