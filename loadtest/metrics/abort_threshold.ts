/** Thresholds that stop a run as soon as they do not hold. Pure. @module */
import { FailureReasons } from "../ledger/failure_reasons.ts";
import { Findings } from "../judge/findings.ts";
import type { Trouble } from "../judge/trouble.ts";
import { type EncodedHistograms, mergeHistograms } from "./live_histograms.ts";
import { findingOf, percentileOf } from "./live_metric.ts";
import { compareWithBound, type Threshold } from "./threshold.ts";

/** Facts about a run in progress. */
export interface LiveFacts {
  /** Planned clients. */
  readonly clients: number;
  /** Time since the run began, in ms. */
  readonly elapsed: number;
  readonly resent: number;
  readonly trouble: Trouble;
  readonly histograms: EncodedHistograms;
}

/** Returns the histograms that thresholds need during the run, by name. */
export function histogramsFor(thresholds: readonly Threshold[]): string[] {
  const names = thresholds.filter(({ abortAfter }) => abortAfter !== undefined)
    .flatMap(({ metric }) => percentileOf(metric)?.histogram ?? []);
  return [...new Set(names)];
}

/** Returns the first threshold that stops the run now. One whose value is not known yet does not. */
export function findAbort(thresholds: readonly Threshold[], facts: LiveFacts): Threshold | undefined {
  return thresholds.find((threshold) => {
    if (threshold.abortAfter === undefined || facts.elapsed < threshold.abortAfter) return false;
    const value = valueOf(threshold, facts);
    return value !== null && !compareWithBound(threshold, value, facts.clients);
  });
}

function valueOf({ metric }: Threshold, { trouble, histograms, resent }: LiveFacts): number | null {
  const live = percentileOf(metric);
  if (live !== undefined) {
    return mergeHistograms([histograms]).get(live.histogram)?.percentiles()[live.percentile] ?? null;
  }
  if (metric === "resent") return resent;
  if (metric === "refused") {
    const reasons = new FailureReasons();
    reasons.absorb(trouble.reasons);
    return reasons.count("refused");
  }
  const kind = findingOf(metric);
  if (kind === undefined) return null;
  const findings = new Findings();
  findings.absorb(trouble.findings);
  return findings.count(kind);
}
