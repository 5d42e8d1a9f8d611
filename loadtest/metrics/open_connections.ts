/** The most connections open at the same time, in intervals of a run. Pure. @module */
import type { ConnectionTable } from "../ledger/connection_table.ts";

/** Intervals of equal length, in ms from the beginning of the run. */
export interface Intervals {
  readonly width: number;
  readonly count: number;
}

/** Returns the most connections open at the same time in each interval, as the clients saw them. */
export function openIntervals(
  { openedAt, closedAt }: Pick<ConnectionTable, "openedAt" | "closedAt">,
  { width, count }: Intervals,
): Float64Array {
  const opened = openedAt.toArray().sort();
  const closed = closedAt.toArray().filter((at) => !Number.isNaN(at)).sort();
  const most = new Float64Array(count);
  let made = 0;
  let ended = 0;
  for (let interval = 0; interval < count; interval++) {
    const isWithin = (at: number | undefined): boolean => Math.floor((at ?? NaN) / width) <= interval;
    let peak = made - ended;
    for (; made < opened.length && isWithin(opened[made]); made++) {
      while (ended < closed.length && (closed[ended] ?? Infinity) <= (opened[made] ?? NaN)) ended++;
      peak = Math.max(peak, made + 1 - ended);
    }
    while (ended < closed.length && isWithin(closed[ended])) ended++;
    most[interval] = peak;
  }
  return most;
}
