/** Durations counted in a typed array, for measurements on a hot path. Pure. @module */

/** Units per ms: powers of two, so that whole units are exact, and bounds of 0.5, 1, 2 ms and so on are bucket bounds. */
const UNITS_PER_MS = 64;
/** Units are kept in 30 bits, which V8 stores without an object: times wrap around every 4.6 hours. */
const MASK = 2 ** 30 - 1;
/** Buckets per doubling: a bucket is at most an eighth of its value wide. */
const SUB_BITS = 3;
const SUB = 2 ** SUB_BITS;
const BUCKETS = (30 - SUB_BITS + 1) * SUB;

/** A histogram as plain data. */
export interface DurationCounts {
  /** In ms. */
  readonly sum: number;
  /** The buckets that are not empty. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[];
}

/** Converts a time in ms to units, from 0 to 2^30 − 1. Differences of two such times count modulo 2^30. */
export function durationUnits(ms: number): number {
  return (ms * UNITS_PER_MS) & MASK;
}

/** Converts a difference of two {@linkcode durationUnits} to ms. */
export function unitsToMs(difference: number): number {
  return (difference & MASK) / UNITS_PER_MS;
}

/**
 * A histogram of durations up to 4.6 hours with a relative error of at most an eighth. Recording costs an increment of a typed
 * array and a few bit operations.
 *
 * The buckets are those of HdrHistogram (Gil Tene), with three bits.
 *
 * @example
 * ```ts
 * import { DurationHistogram } from "./duration_histogram.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const histogram = new DurationHistogram();
 * for (const ms of [1, 2, 4, 300]) histogram.record(ms);
 * assertEquals([histogram.count, histogram.sum], [4, 307]);
 * assertEquals(histogram.countBelow(4), 2);
 * ```
 */
export class DurationHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #units = 0;

  /** Number of recorded durations. */
  get count(): number {
    return this.#count;
  }

  /** Their sum in ms. */
  get sum(): number {
    return this.#units / UNITS_PER_MS;
  }

  /** Records a duration in ms. A negative one counts as 0, one over 4.6 hours as 4.6 hours. */
  record(ms: number): void {
    this.recordUnits(Math.min(Math.max(0, Math.round(ms * UNITS_PER_MS)), MASK));
  }

  /** Records the difference of two {@linkcode durationUnits}. */
  recordUnits(difference: number): void {
    const units = difference & MASK;
    this.#count++;
    this.#units += units;
    this.#counts[bucketOf(units)]!++;
  }

  /** Returns how many durations were below a bound in ms: exactly, if the bound is 0.5, 1, 2, 4 and so on, up to 2^23. */
  countBelow(ms: number): number {
    const end = bucketOf(Math.round(ms * UNITS_PER_MS));
    let count = 0;
    for (let bucket = 0; bucket < end; bucket++) count += this.#counts[bucket]!;
    return count;
  }

  /** Replaces everything by the sum of histograms, such as those of other processes. */
  assign(parts: readonly DurationCounts[]): void {
    this.#counts.fill(0);
    this.#units = Math.round(parts.reduce((sum, part) => sum + part.sum, 0) * UNITS_PER_MS);
    this.#count = 0;
    for (const { buckets } of parts) {
      for (const [bucket, count] of buckets) {
        this.#counts[bucket]! += count;
        this.#count += count;
      }
    }
  }

  /** Returns the histogram as plain data, for {@linkcode DurationHistogram.assign}. */
  counts(): DurationCounts {
    const buckets = [...this.#counts.entries()].filter(([, count]) => count > 0);
    return { sum: this.sum, buckets };
  }

  /** Returns the counts of all buckets as they are now. */
  snapshot(): Float64Array {
    return this.#counts.slice();
  }

  /**
   * Returns percentiles in ms of what was recorded since a snapshot; each is the upper bound of its bucket.
   *
   * @param since Default: since the beginning.
   * @returns One value per percentile, or `undefined` if nothing was recorded.
   */
  percentiles(percents: readonly number[], since?: Float64Array): number[] | undefined {
    const counts = since === undefined ? this.#counts : this.#counts.map((count, at) => count - since[at]!);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    return percents.map((percent) => {
      let left = Math.max(1, Math.ceil(total * percent / 100));
      const bucket = counts.findIndex((count) => (left -= count) <= 0);
      return upperBound(bucket) / UNITS_PER_MS;
    });
  }
}

/** Bucket 0 to 7 hold one value each; from there on, each doubling has eight buckets. */
function bucketOf(units: number): number {
  if (units < SUB) return units;
  const shift = 31 - Math.clz32(units) - SUB_BITS;
  return (shift + 1) * SUB + (units >> shift) - SUB;
}

/** The largest number of units in a bucket. */
function upperBound(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  return ((bucket % SUB) + SUB + 1) * 2 ** shift - 1;
}
