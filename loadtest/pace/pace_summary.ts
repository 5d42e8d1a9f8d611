/** Changes of the pace of a run, for summaries and reports. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import type { PaceEvent } from "../history/events.ts";
import { formatTimes } from "../ledger/failure_reasons.ts";
import { AS_PLANNED } from "./pace.ts";

/** Changes of the pace of a run; times in ms. */
export interface PaceSummary {
  /** Number of pauses. */
  readonly pauses: number;
  /** Total duration of the pauses. */
  readonly pausedMs: number;
  /** Every change, with the pace from then on. */
  readonly changes: readonly { readonly at: number; readonly paused: boolean; readonly speed: number }[];
}

/** Sums up the changes; `undefined` if there were none. */
export function summarizePace(events: readonly PaceEvent[], endedAt: number): PaceSummary | undefined {
  if (events.length === 0) return undefined;
  const changes = events.map(({ at, paused, speed }) => ({ at, paused, speed }));
  let [pauses, pausedMs] = [0, 0];
  changes.forEach(({ at, paused }, index) => {
    if (!paused) return;
    if (!(changes[index - 1]?.paused ?? false)) pauses++;
    pausedMs += (changes[index + 1]?.at ?? Math.max(at, endedAt)) - at;
  });
  return { pauses, pausedMs: Math.round(pausedMs), changes };
}

/** Describes the changes, such as `paused once, for 12s; speed changed once, last to 0.5 × planned`. */
export function describePace({ pauses, pausedMs, changes }: PaceSummary): string {
  const speeds = changes.map(({ speed }) => speed);
  const changed = speeds.filter((speed, index) => speed !== (speeds[index - 1] ?? AS_PLANNED.speed)).length;
  return [
    ...(pauses === 0 ? [] : [`paused ${formatTimes(pauses)}, for ${formatDuration(pausedMs)}`]),
    ...(changed === 0
      ? []
      : [`speed changed ${formatTimes(changed)}, last to ${Number(speeds.at(-1)!.toFixed(3))} × planned`]),
  ].join("; ");
}
