/** The judgement of a run: the same code judges a live one and a written history. Pure. @module */
import { countOutcomes, type OutcomeCounts } from "./outcome_counts.ts";
import { type Finding, type FindingKind, Findings } from "./findings.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  addFailureReasons,
  findDeaths,
  findFailures,
  findLeftovers,
  findOverload,
  findServerEnds,
  findUnexpected,
} from "./checks.ts";

/** The exit code of a program that ran a load test, by verdict. */
export const EXIT_CODES = {
  /** Every message acknowledged, every last connection closed on its own ok, and the server left with nothing. */
  proven: 0,
  /** The same at a server that could not be asked for its state. */
  delivered: 0,
  failed: 1,
  /** The generator could not keep its own schedule, so the figures mean nothing. */
  invalid: 3,
  /** Proven or delivered, but a threshold was crossed. */
  threshold: 99,
  interrupted: 130,
} as const;

/** What a run came to; see {@linkcode EXIT_CODES}. */
export type Verdict = keyof typeof EXIT_CODES;

/** What was judged, and why. */
export interface Judgement {
  /** `threshold` is not for the judge: thresholds are set on the summary. */
  readonly verdict: Exclude<Verdict, "threshold">;
  readonly counts: OutcomeCounts;
  /** All that is wrong, the gravest first. */
  readonly findings: readonly Finding[];
  /** How many of `findings` there are of a kind, told or not. */
  count(kind: FindingKind): number;
}

/** Wrong however slow the generator was; the gravest first. */
const FATAL: readonly FindingKind[] = [
  "died",
  "unexpected",
  "duplicate",
  "wrong",
  "truncated",
  "foreign",
  "reordered",
  "check",
  "scenario",
  "inconsistent",
  "leftover",
];
/** Wrong, unless the generator was too slow for it to mean anything. */
const FAILED: readonly FindingKind[] = ["lost", "under-way", "unnatural"];

/**
 * Judges a run by its ledger.
 *
 * Lost is what was sent and never acknowledged; unexpected is an ok for what was never sent, or at a connection that
 * did not send it, or that no client gave; what was under way at the end is a class of its own. These are the rules
 * of Jepsen's `total-queue` checker (Kyle Kingsbury), with an acknowledgement in the place of a dequeue.
 *
 * Where several verdicts apply, the first of these holds: `interrupted`; `failed` for what is unexpected or left
 * over or died; `invalid`; `failed` for what is lost or unnatural; `delivered`; `proven`.
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
  const findings = new Findings();
  findings.absorb(ledger.findings.snapshot());
  findDeaths(ledger, findings);
  findLeftovers(ledger, findings);
  findUnexpected(ledger, counts, findings);
  findOverload(ledger, counts, findings);
  findFailures(ledger, findings);
  findServerEnds(ledger, findings);
  if (FAILED.some((kind) => findings.count(kind) > 0)) addFailureReasons(ledger, findings);
  return {
    verdict: verdictOf(ledger, findings),
    counts,
    findings: findings.list([...FATAL, "overloaded", "reason", ...FAILED]),
    count: (kind) => findings.count(kind),
  };
}

function verdictOf({ run, facts }: Ledger, findings: Findings): Judgement["verdict"] {
  const has = (kind: FindingKind): boolean => findings.count(kind) > 0;
  if (facts.stop?.why === "interrupted") return "interrupted";
  // A fault that doubles oks was asked for; what it leads to is told, and excused.
  if (FATAL.some((kind) => has(kind) && !(kind === "duplicate" && run.faults))) return "failed";
  if (has("overloaded")) return "invalid";
  if (FAILED.some(has)) return "failed";
  return facts.server === null ? "delivered" : "proven";
}
