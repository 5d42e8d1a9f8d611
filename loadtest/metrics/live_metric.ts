/** The metrics that are known while a run goes on. Pure. @module */
import type { FindingKind } from "../judge/findings.ts";

/** A percentile of a histogram that is recorded during the run. */
export interface LivePercentile {
  /** The name of the histogram, such as `latency` or `step.GET`. */
  readonly histogram: string;
  readonly percentile: "p50" | "p90" | "p95" | "p99" | "p999" | "max";
}

const FINDINGS: ReadonlyMap<string, FindingKind> = new Map([
  ["lost", "lost"],
  ["unexpected", "unexpected"],
  ["duplicates", "duplicate"],
  ["wrong", "wrong"],
  ["truncated", "truncated"],
  ["foreign", "foreign"],
  ["reordered", "reordered"],
  ["checks.failed", "check"],
]);

const PERCENTILE = /^(?:(fromPlanned|connect|step\.[^<>=!]+|metric\.[^<>=!]+)\.)?(p50|p90|p95|p99|p999|max)$/;

/** The metrics that {@linkcode isLive} accepts, for people. */
export const LIVE_METRICS: string = [
  "p50 to max, also with fromPlanned., connect., step.NAME., or metric.NAME. in front",
  ...FINDINGS.keys(),
  "resent",
  "refused",
].join(", ");

/** Whether a metric is known while a run goes on. */
export function isLive(metric: string): boolean {
  return PERCENTILE.test(metric) || FINDINGS.has(metric) || metric === "resent" || metric === "refused";
}

/** Returns the kind of findings that a metric counts. */
export function findingOf(metric: string): FindingKind | undefined {
  return FINDINGS.get(metric);
}

/** Returns the percentile that a metric names. */
export function percentileOf(metric: string): LivePercentile | undefined {
  const [, histogram = "latency", percentile] = PERCENTILE.exec(metric) ?? [];
  if (percentile === undefined) return undefined;
  return { histogram, percentile: percentile as LivePercentile["percentile"] };
}
