/** A rate limit. Pure. @module */

/** Far less than any interval, in ms, because sums of intervals are not exact. */
const ROUNDING = 1e-6;

/**
 * A token bucket: `rate` events per second on average, and up to one second's worth immediately after a quiet second.
 *
 * The algorithm is from J. Turner, "New directions in communications", 1986, in its form of virtual scheduling (ITU-T
 * I.371): it stores only the time at which the bucket would be full, and needs no timer.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #burst: number;
  #fullAt = -Infinity;

  /** @param rate Events per second, more than 0. */
  constructor(rate: number) {
    if (!(rate > 0)) throw new RangeError(`Cannot allow ${rate} a second: expected more than 0`);
    this.#interval = 1000 / rate;
    this.#burst = Math.max(rate, 1);
  }

  /**
   * Takes one event.
   *
   * @param now The time in ms, of a clock that does not go back.
   * @returns The time in ms to wait before the next event; 0 if none.
   */
  take(now: number): number {
    this.#fullAt = Math.max(this.#fullAt, now) + this.#interval;
    return Math.max(0, this.#fullAt - now - (this.#burst - 1) * this.#interval);
  }

  /** Takes one event if the rate allows it now. @param now As for {@linkcode RateLimit.take}. */
  tryTake(now: number): boolean {
    const fullAt = Math.max(this.#fullAt, now) + this.#interval;
    if (fullAt - now > this.#burst * this.#interval + ROUNDING) return false;
    this.#fullAt = fullAt;
    return true;
  }
}
