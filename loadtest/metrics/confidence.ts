/** How far the percentiles of one run may be trusted: intervals that a comparison of two runs needs. Pure. @module */
import type { Ledger } from "../ledger/ledger.ts";
import { durationsOf } from "../scenario/measure_scenario.ts";
import { addedByRelay } from "./measure.ts";

/** Between these, in ms, the percentile lies that a longer run of the same kind would have. */
export type Interval = readonly [low: number, high: number];

/** An interval for each percentile; `null` where there were too few oks to bound it. */
export interface Intervals {
  readonly p50: Interval | null;
  readonly p90: Interval | null;
  readonly p99: Interval | null;
  readonly p999: Interval | null;
}

/** The intervals of a run's times to the ok. */
export interface Confidence {
  /** The share of such intervals that hold what they are to hold. */
  readonly level: typeof LEVEL;
  /** Of the same percentiles as `latency` of a summary. */
  readonly latency: Intervals & { readonly fromPlanned: Intervals; readonly relay: Intervals };
}

const LEVEL = 0.99;
/** A run is cut into so many stretches: enough to see how they vary, few enough for each to be long. */
const BLOCKS = 30;
/** What of Student's distribution with 29 degrees of freedom lies in the middle 99 %. */
const STUDENT = 2.7564;
/** With fewer oks a stretch has a handful. */
const FEWEST = 10 * BLOCKS;

/** Bounds the percentiles of a run. */
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
 * Bounds the percentiles of durations in the order in which they came about; NaN do not count.
 *
 * Durations of one run resemble those before them, so that the usual bounds, for independent ones, would be far too
 * narrow. Here a run is cut into stretches; how much the share of durations up to the percentile varies from
 * stretch to stretch bounds that share, and the durations at the bounds of the share are the bounds of the
 * percentile, reckoned in log odds (R. S. Woodruff: "Confidence Intervals for Medians and Other Position Measures", 1952). What varies
 * from one run to the next is beyond what one run can tell.
 *
 * @param durations In ms.
 */
export function percentileIntervals(durations: Float64Array): Intervals {
  const measured = durations.filter((ms) => !Number.isNaN(ms));
  const sorted = measured.toSorted();
  const interval = (share: number): Interval | null => {
    if (measured.length < FEWEST) return null;
    // On the scale of log odds, which keeps the bounds of a share between 0 and 1.
    const spread = standardError(measured, { share, upTo: atShare(sorted, share) }) / (share * (1 - share));
    const low = 1 / (1 + (1 / share - 1) * Math.exp(STUDENT * spread));
    const high = 1 / (1 + (1 / share - 1) * Math.exp(-STUDENT * spread));
    // Above the longest there is nothing to take for a bound.
    return measured.length * (1 - high) < 1 ? null : [atShare(sorted, low), atShare(sorted, high)];
  };
  return { p50: interval(0.5), p90: interval(0.9), p99: interval(0.99), p999: interval(0.999) };
}

/** Of the share of durations that are at most `upTo`. */
function standardError(durations: Float64Array, { share, upTo }: { share: number; upTo: number }): number {
  const perBlock = durations.length / BLOCKS;
  const counts = new Float64Array(BLOCKS);
  durations.forEach((ms, index) => {
    if (ms <= upTo) counts[Math.floor(index / perBlock)]!++;
  });
  const shares = counts.map((count) => count / perBlock);
  const mean = shares.reduce((sum, one) => sum + one) / BLOCKS;
  const variance = shares.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (BLOCKS - 1);
  // Stretches that are alike by chance do not make the durations better known than independent ones would be.
  return Math.sqrt(Math.max(variance / BLOCKS, share * (1 - share) / durations.length));
}

function atShare(sorted: Float64Array, share: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return Math.round((sorted[rank - 1] ?? NaN) * 1000) / 1000;
}
