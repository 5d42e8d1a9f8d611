/** Measures a scenario run: its requests, also by step, its checks, and its custom metrics. Pure. @module */
import type { Ledger } from "../ledger/ledger.ts";
import { LatencyHistogram, type Percentiles } from "../metrics/latency.ts";
import type { CheckCounts } from "./scenario_table.ts";

/** Results of one step. */
export interface StepMetrics {
  /** The `name` of its requests; by default the first word. */
  readonly name: string;
  /** Number of requests. */
  readonly requests: number;
  /** Requests answered as expected. */
  readonly ok: number;
  /** Requests without a reply. */
  readonly lost: number;
  /** Time to the reply in ms: from sending, and from the planned instant. */
  readonly latency: Percentiles & { readonly fromPlanned: Percentiles };
}

/** Metrics that only a scenario has. */
export interface ScenarioMetrics {
  /** The scenario file, as the user wrote its name; absent if it is not from a file. */
  readonly name?: string;
  /** Requests of all sessions. */
  readonly requests: number;
  /** Answered requests per second, from the end of the warm-up to the last reply. */
  readonly perSecond: number;
  /** Requests that got another reply than the expected one. */
  readonly wrong: number;
  /** Requests that got only the start of the expected reply. */
  readonly truncated: number;
  /** Requests that got the reply to a request of another session; beyond 200 mismatches of a process, `wrong`. */
  readonly foreign: number;
  /** Replies that arrived after the reply to a later request of the same connection. */
  readonly reordered: number;
  /** Frames sent without a request. */
  readonly pushed: number;
  /** Frames that a handler of `on` received. */
  readonly handled: number;
  /** Sessions by outcome. */
  readonly sessions: {
    readonly done: number;
    readonly failed: number;
    readonly threw: number;
    readonly unfinished: number;
  };
  /** Lag with which generators started scheduled messages, in ms at the 99th percentile; `null` without a schedule. */
  readonly messageLag: number | null;
  /** Scheduled messages that were never sent. */
  readonly notSent: number;
  /** Results by step. */
  readonly steps: readonly StepMetrics[];
  /** Results of `t.check`, by name. */
  readonly checks: readonly ({ readonly name: string } & CheckCounts)[];
  /** Values of `t.metric`, by name. */
  readonly metrics: readonly ({ readonly name: string; readonly count: number } & Percentiles)[];
}

/** The durations of requests answered as expected, in ms, in the order of the replies, without those of the warm-up. */
export function durationsOf({ scenario, run }: Ledger, since: "due" | "sent", step?: number): Float64Array {
  const { warmup = 0 } = run;
  const durations = new Float64Array(scenario.length);
  let count = 0;
  for (let row = 0; row < durations.length; row++) {
    if (!scenario.isOk(row) || scenario.due.at(row) < warmup) continue;
    if (step !== undefined && scenario.step.at(row) !== step) continue;
    durations[count++] = scenario.endedAt.at(row) - scenario[since].at(row);
  }
  return durations.subarray(0, count);
}

/** A histogram of durations. */
export function histogramOf(durations: Float64Array): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const ms of durations) histogram.record(ms);
  return histogram;
}

/** Measures what is particular to a scenario. */
export function measureSteps(ledger: Ledger): ScenarioMetrics {
  const { scenario, findings, run } = ledger;
  const { warmup = 0 } = run;
  const requests = new Float64Array(scenario.steps.length);
  const ok = new Float64Array(scenario.steps.length);
  const lost = new Float64Array(scenario.steps.length);
  let timed = 0;
  let first = Infinity;
  let last = 0;
  for (let row = 0; row < scenario.length; row++) {
    const step = scenario.step.at(row);
    requests[step]!++;
    const result = scenario.resultOf(row);
    if (result === "lost") lost[step]!++;
    if (result !== "ok") continue;
    ok[step]!++;
    const sent = scenario.sent.at(row);
    if (scenario.due.at(row) < warmup) continue;
    timed++;
    if (sent < first) first = sent;
    last = Math.max(last, scenario.endedAt.at(row));
  }
  const sessions = (result: keyof ScenarioMetrics["sessions"]): number => scenario.sessions.get(result) ?? 0;
  return {
    ...(run.scenario === undefined ? {} : { name: run.scenario }),
    requests: scenario.length,
    perSecond: last > first ? Math.round(1000 * timed / (last - first)) : 0,
    wrong: findings.count("wrong"),
    truncated: findings.count("truncated"),
    foreign: findings.count("foreign"),
    reordered: findings.count("reordered"),
    ...scenario.frames,
    sessions: {
      done: sessions("done"),
      failed: sessions("failed"),
      threw: sessions("threw"),
      unfinished: sessions("unfinished"),
    },
    messageLag: scenario.shapes.length === 0 ? null : Math.max(...scenario.shapes.map(({ lag }) => lag)),
    notSent: scenario.shapes.reduce((sum, { notSent }) => sum + notSent, 0),
    steps: scenario.steps.map((name, step) => ({
      name,
      requests: requests[step]!,
      ok: ok[step]!,
      lost: lost[step]!,
      latency: {
        ...histogramOf(durationsOf(ledger, "sent", step)).percentiles(),
        fromPlanned: histogramOf(durationsOf(ledger, "due", step)).percentiles(),
      },
    })),
    checks: [...scenario.checks].map(([name, counts]) => ({ name, ...counts })),
    metrics: [...scenario.metrics].map(([name, histogram]) => ({
      name,
      count: histogram.count,
      ...significant(histogram.percentiles()),
    })),
  };
}

/** A histogram keeps three digits, and returns the upper end of a bucket; values of a scenario are often small integers. */
function significant(percentiles: Percentiles): Percentiles {
  const rounded = (value: number | null): number | null =>
    value === null ? null : Number(value.toPrecision(3));
  const { p50, p90, p95, p99, p999, max } = percentiles;
  return {
    p50: rounded(p50),
    p90: rounded(p90),
    p95: rounded(p95),
    p99: rounded(p99),
    p999: rounded(p999),
    max: rounded(max),
  };
}
