/** Judges a run while it is running. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import { type DiedEvent, maxLagOf, type RunEvent } from "../history/events.ts";
import { FailureReasons, type FailureReasonsSnapshot } from "../ledger/failure_reasons.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { addDeaths } from "./checks.ts";
import { type Finding, Findings, type FindingsSnapshot } from "./findings.ts";
import { FINDING_ORDER, flawOf } from "./verdict.ts";

/** Findings of a ledger so far, as plain data. */
export interface Trouble {
  readonly findings: FindingsSnapshot;
  readonly reasons: FailureReasonsSnapshot;
  /** Generators that have ended too early. */
  readonly died: readonly DiedEvent[];
}

/** The judgement of a run that is not over. */
export interface JudgementSoFar {
  /** The verdict that the run cannot get rid of; `null` if nothing is wrong yet. */
  readonly verdict: "failed" | "invalid" | null;
  readonly findings: readonly Finding[];
}

/** Input of {@linkcode judgeSoFar} besides the findings. */
export interface FiguresSoFar {
  readonly resent: number;
  /** Lag of the generators at the 99th percentile, in ms. */
  readonly lag: number;
}

/** Returns what a ledger has found so far. */
export function troubleOf({ findings, reasons }: Pick<Ledger, "findings" | "reasons">): Trouble {
  return { findings: findings.snapshot(), reasons: reasons.snapshot(), died: [] };
}

/** Adds up what several ledgers have found. */
export function mergeTrouble(parts: readonly Trouble[]): Trouble {
  const findings = new Findings();
  const reasons = new FailureReasons();
  for (const part of parts) {
    findings.absorb(part.findings);
    reasons.absorb(part.reasons);
  }
  return { ...troubleOf({ findings, reasons }), died: parts.flatMap(({ died }) => died) };
}

/** Returns the trouble of a run without any. */
export function noTrouble(): Trouble {
  return mergeTrouble([]);
}

/** Returns the number of failed attempts to connect, and the most frequent reason. */
export function refusedSoFar({ reasons }: Trouble): { readonly count: number; readonly why: string } {
  const all = new FailureReasons();
  all.absorb(reasons);
  return { count: all.count("refused"), why: all.mostFrequent("refused") };
}

/**
 * Judges a run that is not over. What only its end can show, such as a lost message or a leftover of the server, is not
 * known yet.
 */
export function judgeSoFar(run: RunEvent, trouble: Trouble, { resent, lag }: FiguresSoFar): JudgementSoFar {
  const findings = new Findings();
  findings.absorb(trouble.findings);
  addDeaths(run, trouble.died, findings);
  const maxLag = maxLagOf(run);
  if (lag > maxLag) {
    findings.add(
      "overloaded",
      () =>
        `So far, the generator is ${formatDuration(Math.round(lag))} late at the 99th percentile (limit ${
          formatDuration(maxLag)
        })`,
    );
  }
  const reasons = new FailureReasons();
  reasons.absorb(trouble.reasons);
  for (const text of reasons.list()) findings.add("reason", () => text);
  const unnatural = resent + reasons.count("refused") + reasons.count("close") > 0;
  const verdict = flawOf(run, findings) ?? (unnatural && !run.faults ? "failed" : null);
  return { verdict, findings: findings.list(FINDING_ORDER) };
}
