/** Percentiles of durations since the last look. Pure. @module */
import type { DurationHistogram } from "../internal/duration_histogram.ts";

/** Percentiles in ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Percentiles of what a histogram has recorded since the last time. */
export class Interval {
  readonly #histogram: DurationHistogram;
  #before: Float64Array;

  constructor(histogram: DurationHistogram) {
    this.#histogram = histogram;
    this.#before = histogram.snapshot();
  }

  /** Returns the percentiles of the time since the last call, or `null` if nothing was recorded. */
  percentiles(): Percentiles | null {
    const [p50, p90, p99] = this.#histogram.percentiles([50, 90, 99], this.#before) ?? [];
    this.#before = this.#histogram.snapshot();
    return p50 === undefined || p90 === undefined || p99 === undefined ? null : { p50, p90, p99 };
  }
}
