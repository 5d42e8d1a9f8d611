/** Statistical tests for comparing runs: whether values differ by more than chance. Pure. @module */

/** A value and the interval that contains it with 99 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly interval: readonly [low: number, high: number];
}

/** Chance exceeds this number of standard deviations in 1 % of all cases. */
const RARE_DEVIATION = 2.5758;

/**
 * Returns whether the interval of the difference excludes 0. It is combined from both intervals (G. Y. Zou,
 * A. Donner: "Construction of confidence limits about effect measures: a general approach", 2008).
 */
export function estimatesDiffer(from: Estimate, to: Estimate): boolean {
  const difference = to.value - from.value;
  const low = difference - Math.hypot(to.value - to.interval[0], from.interval[1] - from.value);
  const high = difference + Math.hypot(to.interval[1] - to.value, from.value - from.interval[0]);
  return low > 0 || high < 0;
}

/**
 * Returns whether two counts of independent random events differ. It compares their square roots, whose variance does not
 * depend on the counts (F. J. Anscombe: "The Transformation of Poisson, Binomial and Negative-Binomial Data", 1948).
 */
export function countsDiffer(from: number, to: number): boolean {
  // Each root has a variance of 1/4, so the difference has 1/2.
  return Math.abs(Math.sqrt(to + 3 / 8) - Math.sqrt(from + 3 / 8)) * Math.SQRT2 > RARE_DEVIATION;
}

/**
 * Returns the share of all ways to divide the values between two sides whose means differ at least as much as these. This
 * is the permutation test (R. A. Fisher: "The Design of Experiments", 1935), which assumes no distribution.
 */
export function permutationShare(from: readonly number[], to: readonly number[]): number {
  const all = [...from, ...to];
  const total = sum(all);
  const differenceOf = (picked: number): number =>
    Math.abs(picked / from.length - (total - picked) / to.length);
  // Sums of the same values in a different order may differ in their last bits.
  const actual = differenceOf(sum(from)) * (1 - 1e-9);
  let ways = 0;
  let asFar = 0;
  const pick = (next: number, left: number, picked: number): void => {
    if (left === 0) {
      ways++;
      if (differenceOf(picked) >= actual) asFar++;
      return;
    }
    for (let index = next; index <= all.length - left; index++) {
      pick(index + 1, left - 1, picked + (all[index] ?? 0));
    }
  };
  pick(0, from.length, 0);
  return asFar / ways;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Returns the mean, or NaN if there are no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Returns the median, or `null` if there are no values. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const next = sorted[Math.ceil((sorted.length - 1) / 2)];
  return middle === undefined || next === undefined ? null : (middle + next) / 2;
}
