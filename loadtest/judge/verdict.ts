/** Judges a run from its ledger: the same code judges a live run and a written history. Pure. @module */
import { findCause, markFollowing } from "./cause/cause.ts";
import type { Cause } from "./cause/rule.ts";
import { countOutcomes, type OutcomeCounts } from "./outcome_counts.ts";
import { type Finding, type FindingKind, Findings, WRONG_REPLIES } from "./findings.ts";
import type { RunEvent } from "../history/events.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  addFailureReasons,
  findDeaths,
  findFailures,
  findHang,
  findLeftovers,
  findOverload,
  findRestarts,
  findServerEnds,
  findUnexpected,
  findUnreachable,
} from "./checks.ts";

/**
 * The verdict on a run.
 *
 * - `proven`: every message was acknowledged, every connection closed naturally, and the server was left with nothing.
 * - `delivered`: the same, at a server whose state is unknown.
 * - `failed`: something was lost, unexpected, unnatural, or left over, or the server died or had to be killed.
 * - `invalid`: the generator could not keep its schedule or hit a limit of its own, so the metrics mean nothing.
 * - `threshold`: proven or delivered, but a threshold does not hold.
 * - `interrupted`: stopped before the end.
 */
export type Verdict = "proven" | "delivered" | "failed" | "invalid" | "threshold" | "interrupted";

/** The exit code of a program that ran a load test, by verdict. */
export const EXIT_CODES: Readonly<Record<Verdict, 0 | 1 | 3 | 99 | 130>> = {
  proven: 0,
  delivered: 0,
  failed: 1,
  invalid: 3,
  threshold: 99,
  interrupted: 130,
};

/** A verdict, and what it rests on. */
export interface Judgement {
  /** Never `threshold`, because thresholds apply to the summary. */
  readonly verdict: Exclude<Verdict, "threshold">;
  readonly counts: OutcomeCounts;
  /** The likely cause of a failed run; `undefined` if the facts do not show one, and for other verdicts. */
  readonly cause?: Cause;
  /** Everything that is wrong, the most serious first. */
  readonly findings: readonly Finding[];
  /** Number of findings by kind, listed or not; without kinds that were not found. */
  readonly findingCounts: Readonly<Partial<Record<FindingKind, number>>>;
  /** Returns the number of findings of a kind, listed or not. */
  count(kind: FindingKind): number;
}

/** Wrong however slow the generator was; the most serious first. */
const FATAL: readonly FindingKind[] = [
  "unreachable",
  "died",
  ...WRONG_REPLIES,
  "check",
  "scenario",
  "inconsistent",
  "leftover",
  "hung",
];
/** Wrong, unless the generator was too slow. */
const FAILED: readonly FindingKind[] = ["lost", "under-way", "unnatural"];

/** Every kind, the most serious first. */
export const FINDING_ORDER: readonly FindingKind[] = [...FATAL, "overloaded", "reason", ...FAILED];

/**
 * Judges a run by its ledger.
 *
 * A message is lost if it was sent and never acknowledged. An ok is unexpected if its message was never sent, or not on
 * that connection, or if no client sent that ok. Messages in flight at the end are a class of their own. These are the
 * rules of Jepsen's `total-queue` checker (Kyle Kingsbury), with an acknowledgment in place of a dequeue.
 *
 * If several verdicts apply, the first of these holds: `interrupted`; `failed` for unexpected or leftover items, or for a
 * server that died or had to be killed; `invalid`; `failed` for lost messages or unnatural ends; `delivered`; `proven`.
 *
 * @example
 * ```ts
 * import { judge } from "./verdict.ts";
 * import { Ledger } from "../ledger/ledger.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ledger = new Ledger({
 *   event: "run", schema: 1, seed: 1, clients: 1, protocol: "echo", server: "foreign", faults: false,
 * });
 * const [client, local, remote] = [0, "127.0.0.1:40000", "127.0.0.1:7"];
 * ledger.record({ event: "planned", client, at: 5, text: "hello #0" });
 * ledger.record({ event: "start", client, at: 5.2 });
 * ledger.record({ event: "connect", client, at: 5.5, took: 0.3, local, remote });
 * ledger.record({ event: "send", client, at: 5.5 });
 * assertEquals(judge(ledger).findings.map(({ kind }) => kind), ["under-way", "unnatural"]);
 *
 * ledger.record({ event: "ack", client, at: 6, message: 0 });
 * ledger.record({ event: "close", client, at: 6.1, reason: "natural" });
 * assertEquals(judge(ledger).verdict, "delivered");
 * ```
 */
export function judge(ledger: Ledger): Judgement {
  const counts = countOutcomes(ledger);
  const findings = new Findings(ledger.findings.most);
  findings.absorb(ledger.findings.snapshot());
  findDeaths(ledger, findings);
  findRestarts(ledger, findings);
  findLeftovers(ledger, findings);
  findHang(ledger, findings);
  findUnexpected(ledger, counts, findings);
  findOverload(ledger, counts, findings);
  findFailures(ledger, findings);
  findServerEnds(ledger, findings);
  if (ledger.facts.aborted) findings.remove("under-way");
  findUnreachable(ledger, findings);
  if (["unreachable" as const, ...FAILED].some((kind) => findings.count(kind) > 0)) {
    addFailureReasons(ledger, findings);
  }
  const verdict = verdictOf(ledger, findings);
  const cause = verdict === "failed" ? findCause(ledger, counts, findings) : undefined;
  return {
    verdict,
    counts,
    ...(cause === undefined ? {} : { cause: { kind: cause.kind, text: cause.text } }),
    findings: markFollowing(findings.list(FINDING_ORDER), cause),
    findingCounts: Object.fromEntries(
      FINDING_ORDER.map((kind) => [kind, findings.count(kind)] as const).filter(([, count]) => count > 0),
    ),
    count: (kind) => findings.count(kind),
  };
}

function verdictOf({ run, facts }: Ledger, findings: Findings): Judgement["verdict"] {
  if (facts.stop?.why === "interrupted") return "interrupted";
  return flawOf(run, findings) ?? (facts.server === null ? "delivered" : "proven");
}

/** Returns the verdict that the findings lead to, or `undefined` if nothing is wrong. */
export function flawOf({ faults }: RunEvent, findings: Findings): "failed" | "invalid" | undefined {
  const has = (kind: FindingKind): boolean => findings.count(kind) > 0;
  // An injected fault may duplicate oks. The findings are reported, and excused.
  if (FATAL.some((kind) => has(kind) && !(kind === "duplicate" && faults))) return "failed";
  if (has("overloaded")) return "invalid";
  return FAILED.some(has) ? "failed" : undefined;
}
