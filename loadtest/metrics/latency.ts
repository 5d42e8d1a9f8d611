/** A mergeable latency histogram with three significant digits. Pure. @module */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";

/** Percentiles of durations, in ms; all `null` if nothing was measured. */
export interface Percentiles {
  /** The median. */
  readonly p50: number | null;
  /** The 90th percentile. */
  readonly p90: number | null;
  /** The 95th percentile. */
  readonly p95: number | null;
  /** The 99th percentile. */
  readonly p99: number | null;
  /** The 99.9th percentile. */
  readonly p999: number | null;
  /** The longest duration. */
  readonly max: number | null;
}

/** A point of a percentile curve: `percentile` percent of the durations are at most `ms`. */
export interface CurvePoint {
  readonly percentile: number;
  readonly ms: number;
}

/** The histogram counts microseconds. */
const UNITS_PER_MS = 1000;
const SIGNIFICANT_DIGITS = 3;
/** Points of the curve for each halving of the distance to 100 %, as in HdrHistogram's plots. */
const POINTS_PER_HALF = 5;

/**
 * A histogram of durations in ms, exact to the microsecond and to three significant digits.
 *
 * Built on HdrHistogram (Gil Tene), which records the slowest of a million as precisely as the median.
 *
 * @example
 * ```ts
 * import { LatencyHistogram } from "./latency.ts";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const latency = new LatencyHistogram();
 * for (let ms = 1; ms <= 100; ms++) latency.record(ms);
 * assertAlmostEquals(latency.percentile(50) ?? NaN, 50, 0.05);
 * assertEquals(latency.max, 100);
 * ```
 */
export class LatencyHistogram {
  readonly #histogram: Histogram;

  constructor() {
    this.#histogram = build({ numberOfSignificantValueDigits: SIGNIFICANT_DIGITS, autoResize: true });
  }

  /** Number of recorded durations. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The longest duration in ms, or `null` if there is none. */
  get max(): number | null {
    return this.count === 0 ? null : this.#histogram.maxValue / UNITS_PER_MS;
  }

  /** Records a duration in ms, `count` times. A negative one, from clocks that disagree, counts as 0. Default once */
  record(ms: number, count = 1): void {
    this.#histogram.recordValueWithCount(Math.max(0, Math.round(ms * UNITS_PER_MS)), count);
  }

  /** Returns the duration in ms that `percent` percent do not exceed, or `null` if there are none. */
  percentile(percent: number): number | null {
    if (this.count === 0) return null;
    // The upper end of a bucket may be above everything in it.
    return Math.min(this.#histogram.getValueAtPercentile(percent), this.#histogram.maxValue) / UNITS_PER_MS;
  }

  /** Returns the percentiles that a summary shows. */
  percentiles(): Percentiles {
    return {
      p50: this.percentile(50),
      p90: this.percentile(90),
      p95: this.percentile(95),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: this.max,
    };
  }

  /** Returns the percentile curve, denser towards 100 % and ending there. */
  curve(): CurvePoint[] {
    const points: CurvePoint[] = [];
    if (this.count === 0) return points;
    const halvings = Math.max(1, Math.ceil(Math.log2(this.count)));
    for (let i = 0; i < halvings * POINTS_PER_HALF; i++) {
      const percentile = 100 * (1 - 2 ** (-i / POINTS_PER_HALF));
      points.push({ percentile, ms: this.percentile(percentile) ?? 0 });
    }
    points.push({ percentile: 100, ms: this.max ?? 0 });
    return points;
  }

  /** Adds the durations of another histogram. */
  merge(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  /** Encodes the histogram in HdrHistogram's compressed Base64 format. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  /** Adds an encoded histogram, possibly from another process. */
  mergeEncoded(encoded: string): void {
    this.#histogram.add(decodeFromCompressedBase64(encoded));
  }
}
