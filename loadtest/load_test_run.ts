/** The result of a load test, and what its report is made of. Pure. @module */
import type { Finding } from "./judge/findings.ts";
import type { Verdict } from "./judge/verdict.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Measurements } from "./metrics/measure.ts";
import type { Summary } from "./metrics/summary.ts";
import type { Plan } from "./plan/plan.ts";

/** The result of a load test. */
export interface LoadTestRun {
  /** The verdict on the run. */
  readonly verdict: Verdict;
  /** The verdict in a sentence. */
  readonly text: string;
  /** Findings, the most serious first; empty if the run is proven. */
  readonly findings: readonly Finding[];
  /** Every metric of the run, as `--json` prints it. */
  readonly summary: Summary;
}

/** Data that a report needs in addition to the result. */
export interface RunDetails {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly measures: Measurements;
  readonly startedAt: Date;
}

const DETAILS = new WeakMap<Summary, RunDetails>();

/** Keeps the details of a run for as long as its summary is in use. */
export function keepDetails(summary: Summary, details: RunDetails): void {
  DETAILS.set(summary, details);
}

/**
 * Returns the details of a run.
 *
 * @throws {TypeError} If `runLoadTest` did not return it
 */
export function detailsOf({ summary }: LoadTestRun): RunDetails {
  const details = DETAILS.get(summary);
  if (details !== undefined) return details;
  throw new TypeError("Cannot report the run: expected the result of runLoadTest()");
}
