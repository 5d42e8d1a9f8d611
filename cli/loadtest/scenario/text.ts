/** The part of a summary for people that only a scenario has. @module */
import { formatTable } from "../../terminal/table.ts";
import type { ScenarioMetrics } from "../../../loadtest/scenario/measure_scenario.ts";
import type { Percentiles } from "../../../loadtest/metrics/latency.ts";

/** Tables of the steps, the custom metrics, and the checks of a scenario. */
export function scenarioText({ perSecond, steps, metrics, checks, sessions }: ScenarioMetrics): string {
  const columns = ["p50", "p90", "p95", "p99", "p99.9", "max"];
  return [
    ...(steps.length === 0 ? [] : [formatTable({
      head: ["step, ms", "requests", "as expected", ...columns],
      rows: steps.map(({ name, requests, ok, latency }) => [name, requests, ok, ...percentiles(latency)]),
    })]),
    ...(metrics.length === 0 ? [] : [formatTable({
      head: ["metric", "values", ...columns],
      rows: metrics.map((metric) => [metric.name, metric.count, ...percentiles(metric)]),
    })]),
    ...(checks.length === 0 ? [] : [formatTable({
      head: ["check", "held", "did not hold"],
      rows: checks.map(({ name, passed, failed }) => [name, passed, failed]),
    })]),
    `${
      perSecond.toLocaleString("en")
    } replies per second; sessions: ${sessions.done} done, ${sessions.failed} failed, ` +
    `${sessions.threw} threw, ${sessions.unfinished} unfinished`,
  ].join("\n");
}

function percentiles({ p50, p90, p95, p99, p999, max }: Percentiles): string[] {
  return [p50, p90, p95, p99, p999, max].map((value) => value === null ? "-" : value.toFixed(1));
}
