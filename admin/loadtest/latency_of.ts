/** Percentiles of a load test's latency. Pure. @module */
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
import type { RunProgress } from "../../loadtest/run_plan.ts";
import type { Percentiles } from "../percentiles.ts";

/** Returns the percentiles from planned start to ok so far; `null` without any ok. */
export function latencyOf(progress: RunProgress | undefined): Percentiles | null {
  if (progress === undefined) return null;
  const latency = new LatencyHistogram();
  latency.mergeEncoded(progress.latency);
  const { p50, p90, p99 } = latency.percentiles();
  return p50 === null || p90 === null || p99 === null ? null : { p50, p90, p99 };
}
