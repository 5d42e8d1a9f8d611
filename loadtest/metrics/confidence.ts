/** Confidence intervals for the percentiles of one run, for the comparison of runs. Pure. @module */
import type { Ledger } from "../ledger/ledger.ts";
import { durationsOf } from "../scenario/measure_scenario.ts";
import { addedByRelay } from "./measure.ts";

/** Bounds, in ms, of the percentile that a longer run of the same kind would have. */
export type Interval = readonly [low: number, high: number];

/** An interval for each percentile; `null` if there were too few oks to bound it. */
export interface Intervals {
  /** Of the median. */
  readonly p50: Interval | null;
  /** Of the 90th percentile. */
  readonly p90: Interval | null;
  /** Of the 95th percentile. */
  readonly p95: Interval | null;
  /** Of the 99th percentile. */
  readonly p99: Interval | null;
  /** Of the 99.9th percentile. */
  readonly p999: Interval | null;
}

/** The intervals of a run's latencies. */
export interface Confidence {
  /** The confidence level, from 0 to 1. */
  readonly level: number;
  /** The same percentiles as `latency` of a summary. */
  readonly latency: Intervals & { readonly fromPlanned: Intervals; readonly relay: Intervals };
}

const LEVEL = 0.99;
/** Number of stretches that a run is cut into: enough to see them vary, few enough for each to be long. */
const BLOCKS = 30;
/** Half-width of the middle 99 % of Student's distribution with 29 degrees of freedom. */
const STUDENT = 2.7564;
/** With fewer oks, a stretch has too few. */
const FEWEST = 10 * BLOCKS;

/** Returns confidence intervals for the percentiles of a run. */
export function measureConfidence(ledger: Ledger): Confidence {
  if (ledger.run.protocol === "scenario") {
    return {
      level: LEVEL,
      latency: {
        ...percentileIntervals(durationsOf(ledger, "sent")),
        fromPlanned: percentileIntervals(durationsOf(ledger, "due")),
        relay: percentileIntervals(new Float64Array(0)),
      },
    };
  }
  const { plannedAt, startedAt, ackedAt } = ledger.clients.columns;
  return {
    level: LEVEL,
    latency: {
      ...percentileIntervals(ackedAt.map((at, row) => at - (startedAt[row] ?? NaN))),
      fromPlanned: percentileIntervals(ackedAt.map((at, row) => at - (plannedAt[row] ?? NaN))),
      relay: percentileIntervals(addedByRelay(ledger)),
    },
  };
}

/**
 * Returns confidence intervals for the percentiles of durations.
 *
 * Consecutive durations of a run are similar, so intervals for independent samples would be far too narrow. Instead, the
 * run is cut into stretches. The share of durations up to the percentile varies between stretches, which bounds that
 * share, in log odds. The durations at these bounds are the interval (R. S. Woodruff: "Confidence Intervals for Medians
 * and Other Position Measures", 1952). One run does not show what varies between runs.
 *
 * @param durations In ms, in the order of their occurrence; NaN is skipped
 */
export function percentileIntervals(durations: Float64Array): Intervals {
  const measured = durations.filter((ms) => !Number.isNaN(ms));
  const sorted = measured.toSorted();
  const interval = (share: number): Interval | null => {
    if (measured.length < FEWEST) return null;
    // Log odds keep the bounds of a share between 0 and 1.
    const spread = standardError(measured, { share, upTo: atShare(sorted, share) }) / (share * (1 - share));
    const low = 1 / (1 + (1 / share - 1) * Math.exp(STUDENT * spread));
    const high = 1 / (1 + (1 / share - 1) * Math.exp(-STUDENT * spread));
    // There is no duration above the longest.
    return measured.length * (1 - high) < 1 ? null : [atShare(sorted, low), atShare(sorted, high)];
  };
  return {
    p50: interval(0.5),
    p90: interval(0.9),
    p95: interval(0.95),
    p99: interval(0.99),
    p999: interval(0.999),
  };
}

/** The standard error of the share of durations that are at most `upTo`. */
function standardError(durations: Float64Array, { share, upTo }: { share: number; upTo: number }): number {
  const perBlock = durations.length / BLOCKS;
  const counts = new Float64Array(BLOCKS);
  durations.forEach((ms, index) => {
    if (ms <= upTo) counts[Math.floor(index / perBlock)]!++;
  });
  const shares = counts.map((count) => count / perBlock);
  const mean = shares.reduce((sum, one) => sum + one) / BLOCKS;
  const variance = shares.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (BLOCKS - 1);
  // Stretches may be similar by chance: the error is never below that of independent samples.
  return Math.sqrt(Math.max(variance / BLOCKS, share * (1 - share) / durations.length));
}

function atShare(sorted: Float64Array, share: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return Math.round((sorted[rank - 1] ?? NaN) * 1000) / 1000;
}
