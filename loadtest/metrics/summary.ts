/** The summary of a run: metrics, verdict, findings, and plan. Pure. @module */
import { collectRunMetrics, type RunMetrics, type RunMetricsInput } from "./run_metrics.ts";
import type { Cause } from "../judge/cause/rule.ts";
import type { Finding, FindingKind } from "../judge/findings.ts";
import { maxLagOf, type RunEvent, SCHEMA } from "../history/events.ts";
import { formatPayload } from "../plan/payload.ts";
import type { Plan } from "../plan/plan.ts";
import { formatReplyDelay } from "../plan/reply_delay.ts";
import { type CheckedThreshold, checkThreshold, type Threshold } from "./threshold.ts";
import { type PaceSummary, summarizePace } from "../pace/pace_summary.ts";
import type { Verdict } from "../judge/verdict.ts";

/**
 * The summary of a run, as in the last line of `--json`. Durations are in ms, and `null` if nothing was measured.
 * `docs/summary.md` explains each field.
 */
export interface Summary extends RunMetrics {
  /** The verdict on the run, thresholds included. */
  readonly verdict: Verdict;
  /** The likely cause of a failed run; absent if the facts do not show one, and for other verdicts. */
  readonly cause?: Cause;
  /** Findings in sentences; about twenty of each kind at most. */
  readonly findings: readonly Finding[];
  /** Number of findings by kind, listed or not; without kinds that were not found. */
  readonly findingCounts: Readonly<Partial<Record<FindingKind, number>>>;
  /** The thresholds, each with its result. */
  readonly thresholds: readonly CheckedThreshold[];
  /** The plan; `null` if only the history of the run is known. */
  readonly plan: PlanSummary | null;
  /** Changes of the pace by an operator; absent if it was not changed. */
  readonly pace?: PaceSummary;
  /** The version of this format. */
  readonly schema: number;
}

/** The plan of a run in the notation of the command line; durations in ms. */
export interface PlanSummary {
  /** The clients start within this time. */
  readonly windowMs: number;
  /** Distribution of the starts, such as `uniform`. */
  readonly arrival: string;
  /** Time for which messages are held, such as `uniform:0s-5s`. */
  readonly replyDelay: string;
  /** The messages, as in `size:1KiB`. */
  readonly payload: string;
  /** Time for which a client waits for its ok. */
  readonly timeoutMs: number;
  /** Time for which a client continues to answer after its own ok. */
  readonly lingerMs: number;
  /** When the run ends at the latest. */
  readonly deadlineMs: number;
  /** Highest lag of a generator at the 99th percentile. */
  readonly maxLagMs: number;
}

/** Input of {@linkcode summarize}. */
export interface SummaryInput extends RunMetricsInput {
  /** Default: unknown. */
  readonly plan?: Plan;
  /** Default: none. */
  readonly thresholds?: readonly Threshold[];
}

/** Creates the summary. The verdict of a good run becomes `threshold` if a threshold does not hold. */
export function summarize(input: SummaryInput): Summary {
  const { judgement, ledger, plan, thresholds = [] } = input;
  const figures = collectRunMetrics(input);
  const checked = thresholds.map((threshold) =>
    checkThreshold(threshold, figures, { stoppedBy: ledger.facts.stop?.threshold })
  );
  const pace = summarizePace(ledger.facts.paces, figures.durationMs);
  const good = judgement.verdict === "proven" || judgement.verdict === "delivered";
  const crossed = checked.some(({ holds }) => !holds);
  return {
    verdict: good && crossed ? "threshold" : judgement.verdict,
    ...figures,
    ...(judgement.cause === undefined ? {} : { cause: judgement.cause }),
    findings: judgement.findings,
    findingCounts: judgement.findingCounts,
    thresholds: checked,
    plan: plan === undefined ? null : summarizePlan(plan, ledger.run),
    ...(pace === undefined ? {} : { pace }),
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

/** Returns the expressions of the thresholds that do not hold. */
export function crossedThresholds({ thresholds }: Pick<Summary, "thresholds">): string[] {
  return thresholds.filter(({ holds }) => !holds).map(({ expression }) => expression);
}
