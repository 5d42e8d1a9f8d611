/** Latencies in a histogram that keeps three digits of any value and can be added up. Pure. @module */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";

/** The percentiles that a summary shows, in ms; all `null` when nothing was measured. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

/** A point of a percentile curve: so many percent took at most so many ms. */
export interface CurvePoint {
  readonly percentile: number;
  readonly ms: number;
}

/** Microseconds: the unit inside. */
const UNITS_PER_MS = 1000;
const SIGNIFICANT_DIGITS = 3;
/** Points of the curve for each halving of what is left of 100 %, as in HdrHistogram's own plots. */
const POINTS_PER_HALF = 5;

/**
 * Durations in ms, recorded to the microsecond and to three significant digits.
 *
 * Built on HdrHistogram (Gil Tene), which keeps the slowest of a million as faithfully as the median.
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

  /** How many durations were recorded. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The longest one in ms, or `null` when there is none. */
  get max(): number | null {
    return this.count === 0 ? null : this.#histogram.maxValue / UNITS_PER_MS;
  }

  /** Records a duration in ms; one below 0, as clocks that disagree may give, counts as 0. */
  record(ms: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * UNITS_PER_MS)));
  }

  /** What so many percent of the durations did not exceed, in ms, or `null` when there are none. */
  percentile(percent: number): number | null {
    if (this.count === 0) return null;
    // A bucket's upper end may lie beyond everything that is in it.
    return Math.min(this.#histogram.getValueAtPercentile(percent), this.#histogram.maxValue) / UNITS_PER_MS;
  }

  percentiles(): Percentiles {
    return {
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: this.max,
    };
  }

  /** The percentile curve, denser towards 100 %, and ending with it. */
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

  /** Adds what another histogram has. */
  merge(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  /** The histogram as text, in HdrHistogram's compressed format. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  /** Adds what was encoded, here or in another process. */
  mergeEncoded(encoded: string): void {
    this.#histogram.add(decodeFromCompressedBase64(encoded));
  }
}
