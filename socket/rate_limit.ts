/** A bound on how often something happens. Pure. @module */

/** Far less than any interval, in ms; sums of intervals are not exact. */
const ROUNDING = 1e-6;

/**
 * A token bucket: `rate` a second in the long run, and as many at once as a second gives, after a quiet one.
 *
 * The algorithm is that of J. Turner, "New directions in communications", 1986; here as the time at which a bucket that is
 * never empty would have been full ("virtual scheduling", ITU-T I.371): one number, and no timer.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #burst: number;
  #fullAt = -Infinity;

  /** @param rate How many a second, more than 0. */
  constructor(rate: number) {
    if (!(rate > 0)) throw new RangeError(`Cannot allow ${rate} a second: expected more than 0`);
    this.#interval = 1000 / rate;
    this.#burst = Math.max(rate, 1);
  }

  /**
   * Takes one.
   *
   * @param now In ms, on a clock that does not go back.
   * @returns How long in ms until there will be another: 0 when there is.
   */
  take(now: number): number {
    this.#fullAt = Math.max(this.#fullAt, now) + this.#interval;
    return Math.max(0, this.#fullAt - now - (this.#burst - 1) * this.#interval);
  }

  /** Takes one if there is one. @param now As for {@linkcode RateLimit.take}. */
  tryTake(now: number): boolean {
    const fullAt = Math.max(this.#fullAt, now) + this.#interval;
    if (fullAt - now > this.#burst * this.#interval + ROUNDING) return false;
    this.#fullAt = fullAt;
    return true;
  }
}
