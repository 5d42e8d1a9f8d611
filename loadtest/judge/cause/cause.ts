/** Finds the likely cause of a failed run: one fact that other findings follow from. Pure. @module */
import type { Ledger } from "../../ledger/ledger.ts";
import type { Finding, FindingKind, Findings } from "../findings.ts";
import type { OutcomeCounts } from "../outcome_counts.ts";
import { Evidence } from "./evidence.ts";
import { OBSERVED_RULES } from "./observed_rules.ts";
import { RECORDED_RULES } from "./recorded_rules.ts";
import type { FoundCause } from "./rule.ts";

/** Kinds of findings after which what clients saw does not show a cause. */
const DISTURBANCES: readonly FindingKind[] = ["overloaded", "inconsistent"];

/**
 * Finds the likely cause of a failed run, and what follows from it. A rule applies only if the recorded facts leave no other
 * cause for the findings that it explains; if none applies, nothing is claimed.
 */
export function findCause(ledger: Ledger, counts: OutcomeCounts, findings: Findings): FoundCause | undefined {
  const { run } = ledger;
  const evidence = new Evidence(ledger, counts, findings);
  for (const rule of RECORDED_RULES) {
    const cause = rule(evidence);
    if (cause !== undefined) return cause;
  }
  // Injected faults, or a generator that is late, may be why there is no reply.
  if (run.faults || DISTURBANCES.some((kind) => findings.count(kind) > 0)) return undefined;
  for (const rule of OBSERVED_RULES) {
    const cause = rule(evidence);
    if (cause !== undefined && isUseful(cause, evidence)) return cause;
  }
  return undefined;
}

/** Marks the findings that follow from a cause. */
export function markFollowing(findings: readonly Finding[], cause: FoundCause | undefined): Finding[] {
  return findings.map((finding) =>
    cause !== undefined && (cause.kinds.includes(finding.kind) || cause.texts.includes(finding.text))
      ? { ...finding, follows: true }
      : finding
  );
}

/** Whether a cause says more than the only kind of finding that it explains. */
function isUseful({ kind, kinds, texts }: FoundCause, { findings }: Evidence): boolean {
  const explained = kinds.filter((one) => findings.count(one) > 0).length + (texts.length > 0 ? 1 : 0);
  return explained > (kind === "missing-replies" ? 1 : 0);
}
