/** How long to wait before the next attempt. Pure. @module */

/** Bounds of the waits between attempts, ms. */
export interface BackOff {
  /** Bound of the first wait. Default 100. */
  first?: number;
  /** Bound of every wait; each one's bound is twice the one before up to here. Default 10,000. */
  longest?: number;
}

/**
 * The wait before attempt number `failures` + 1: uniform between 0 and a bound that doubles with each failure, so that
 * clients cut off together do not come back together. ("Full jitter": M. Brooker, Exponential Backoff And Jitter, 2015.)
 *
 * @param failures Attempts that failed in a row, at least 1.
 * @returns ms.
 */
export function backOffDelay(failures: number, options: BackOff & { random: () => number }): number {
  const { first = 100, longest = 10_000, random } = options;
  return random() * Math.min(longest, first * 2 ** (failures - 1));
}
