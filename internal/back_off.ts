/** Delays between attempts. Pure. @module */

/** Limits of the delays between attempts, in ms. */
export interface BackOff {
  /** Maximum of the first delay. Default 100. */
  first?: number;
  /** Maximum of every delay: the maximum doubles with each failure up to this. Default 10,000. */
  longest?: number;
}

/**
 * Returns a random delay, uniform between 0 and a maximum that doubles with each failure. Clients that lose their
 * connections together then do not reconnect together. ("Full jitter": M. Brooker, Exponential Backoff And Jitter, 2015.)
 *
 * @param failures Failed attempts in a row, at least 1.
 * @returns The delay in ms.
 */
export function backOffDelay(failures: number, options: BackOff & { random: () => number }): number {
  const { first = 100, longest = 10_000, random } = options;
  return random() * Math.min(longest, first * 2 ** (failures - 1));
}
