/** The figures of a run as machines read them: the last line of `--json`. Pure. @module */
import { collectRunMetrics, type RunMetrics, type RunMetricsInput } from "./run_metrics.ts";
import type { Finding } from "../judge/findings.ts";
import { maxLagOf, type RunEvent, SCHEMA } from "../history/events.ts";
import { formatPayload } from "../plan/payload.ts";
import type { Plan } from "../plan/plan.ts";
import { formatReplyDelay } from "../plan/reply_delay.ts";
import { type CheckedThreshold, checkThreshold, type Threshold } from "./threshold.ts";
import type { Verdict } from "../judge/verdict.ts";

/** The figures of a run. Durations are in ms, `null` where nothing was measured; `docs/summary.md` explains each. */
export interface Summary extends RunMetrics {
  readonly verdict: Verdict;
  /** What is wrong, in sentences; at most some twenty of each kind. */
  readonly findings: readonly Finding[];
  /** The thresholds that were set, and how each came out. */
  readonly thresholds: readonly CheckedThreshold[];
  /** What was asked for; `null` where only its history is known. */
  readonly plan: PlanSummary | null;
  readonly schema: typeof SCHEMA;
}

/** What was asked for, in the notation of the command line; durations in ms. */
export interface PlanSummary {
  readonly windowMs: number;
  readonly arrival: string;
  readonly replyDelay: string;
  readonly payload: string;
  readonly timeoutMs: number;
  readonly lingerMs: number;
  readonly deadlineMs: number;
  readonly maxLagMs: number;
}

/** What a summary is made from. */
export interface SummaryInput extends RunMetricsInput {
  /** Default: not known. */
  readonly plan?: Plan;
  /** Default: none. */
  readonly thresholds?: readonly Threshold[];
}

/** Makes the summary, and sets the verdict to `threshold` where the run is good and one was crossed. */
export function summarize(input: SummaryInput): Summary {
  const { judgement, ledger, plan, thresholds = [] } = input;
  const figures = collectRunMetrics(input);
  const checked = thresholds.map((threshold) => checkThreshold(threshold, figures));
  const good = judgement.verdict === "proven" || judgement.verdict === "delivered";
  const crossed = checked.some(({ holds }) => !holds);
  return {
    verdict: good && crossed ? "threshold" : judgement.verdict,
    ...figures,
    findings: judgement.findings,
    thresholds: checked,
    plan: plan === undefined ? null : summarizePlan(plan, ledger.run),
    schema: SCHEMA,
  };
}

function summarizePlan({ options, timeout, linger, deadline }: Plan, run: RunEvent): PlanSummary {
  return {
    windowMs: options.window,
    arrival: options.arrival,
    replyDelay: formatReplyDelay(options.replyDelay),
    payload: formatPayload(options.payload),
    timeoutMs: timeout,
    lingerMs: Math.round(linger),
    deadlineMs: deadline,
    maxLagMs: maxLagOf(run),
  };
}
