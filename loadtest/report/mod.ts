/** Reports of load tests that a test or a program ran: a page for browsers, and JUnit XML for CI. @module */
import config from "../../deno.json" with { type: "json" };
import { detailsOf, type LoadTestRun } from "../load_test_run.ts";
import { renderJunit as junitOf } from "./junit.ts";
import { renderReport as reportOf } from "./report.ts";

export type { Cause, CauseKind } from "../judge/cause/rule.ts";
export type { Confidence, Interval, Intervals } from "../metrics/confidence.ts";
export type { Percentiles } from "../metrics/latency.ts";
export type { AgentMetrics, RunMetrics } from "../metrics/run_metrics.ts";
export type { PlanSummary, Summary } from "../metrics/summary.ts";
export type { CheckedThreshold } from "../metrics/threshold.ts";
export type { PaceSummary } from "../pace/pace_summary.ts";
export type { ServerProcessState, ServerState } from "../history/events.ts";
export type { ScenarioMetrics, StepMetrics } from "../scenario/measure_scenario.ts";
export type { CheckCounts } from "../scenario/scenario_table.ts";

/**
 * Renders the report of a run as HTML. The page loads nothing from elsewhere.
 *
 * @param run The result of `runLoadTest`
 * @throws {TypeError} If `run` is another object
 *
 * @example
 * ```ts
 * import { runLoadTest } from "@okline/okline/loadtest";
 * import { renderReport } from "@okline/okline/loadtest/report";
 * import { startEcho } from "@okline/okline/services";
 * import { assertStringIncludes } from "@std/assert";
 *
 * await using server = startEcho({ port: 0 });
 * const run = await runLoadTest({ protocol: "echo", target: server.addresses, clients: 5 });
 * assertStringIncludes(renderReport(run), "<h1>Delivered</h1>");
 * ```
 */
export function renderReport(run: LoadTestRun): string {
  return reportOf({ ...detailsOf(run), summary: run.summary, version: config.version, machine: [] });
}

/**
 * Renders the result of a run as JUnit XML, which CI systems display: a test case for each property and threshold.
 *
 * @param run The result of `runLoadTest`
 * @throws {TypeError} If `run` is another object
 */
export function renderJunit(run: LoadTestRun): string {
  const { ledger, startedAt } = detailsOf(run);
  return junitOf({ summary: run.summary, faults: ledger.run.faults, startedAt });
}
