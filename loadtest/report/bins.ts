/** Counts durations in bins, for the bars of a histogram. Pure. @module */

/** Consecutive bins. */
export interface Bins {
  /** Start of each bin, in ms. */
  readonly from: readonly number[];
  /** Returns the bin of a duration; the first or the last one if it is out of range. */
  of(ms: number): number;
}

/** Creates bins of growing width, a fixed number per power of ten, with an empty one at each end. */
export function logBins(range: { from: number; to: number }, perDecade: number): Bins {
  const first = Math.floor(Math.log10(range.from) * perDecade) - 1;
  const last = Math.floor(Math.log10(range.to) * perDecade) + 1;
  return {
    from: Array.from({ length: last - first + 1 }, (_, bin) => 10 ** ((first + bin) / perDecade)),
    of: (ms) => clamp(Math.floor(Math.log10(ms) * perDecade) - first, last - first),
  };
}

/** Creates bins of equal width from 0 to `to`, and one beyond. */
export function evenBins(to: number, count: number): Bins {
  const width = to / count;
  return {
    from: Array.from({ length: count + 1 }, (_, bin) => bin * width),
    of: (ms) => clamp(Math.floor(ms / width), count),
  };
}

/** Counts the durations in each bin, without NaN. */
export function countInBins(bins: Bins, durations: Iterable<number>): number[] {
  const counts = bins.from.map(() => 0);
  for (const ms of durations) {
    if (!Number.isNaN(ms)) counts[bins.of(ms)] = (counts[bins.of(ms)] ?? 0) + 1;
  }
  return counts;
}

function clamp(bin: number, last: number): number {
  return Math.max(0, Math.min(last, bin));
}
