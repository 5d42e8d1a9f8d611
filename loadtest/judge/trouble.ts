/** Judges a run while it is running. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import { type DiedEvent, maxLagOf, type RunEvent } from "../history/events.ts";
import { FailureReasons, type FailureReasonsSnapshot } from "../ledger/failure_reasons.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { addDeaths, describeDeath, nameOfGenerator } from "./checks.ts";
import { capitalized, type Finding, Findings, type FindingsSnapshot } from "./findings.ts";
import { FINDING_ORDER, flawOf } from "./verdict.ts";

/** Findings of a ledger so far, as plain data. */
export interface Trouble {
  readonly findings: FindingsSnapshot;
  readonly reasons: FailureReasonsSnapshot;
  /** Generators that have ended too early. */
  readonly died: readonly DiedEvent[];
  /** Generators that have not reported for {@linkcode SILENT_AFTER}. */
  readonly silent: readonly SilentGenerator[];
}

/** A generator process, and its agent if it has one. */
export interface SilentGenerator {
  readonly process: number;
  readonly agent?: string;
}

/**
 * Time in ms without a report of its progress after which a generator counts as silent. Generators report several times
 * per second, unless they or their agents hang.
 */
export const SILENT_AFTER = 3000;

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
  return { findings: findings.snapshot(), reasons: reasons.snapshot(), died: [], silent: [] };
}

/** Adds up what several ledgers have found. */
export function mergeTrouble(parts: readonly Trouble[]): Trouble {
  const findings = new Findings();
  const reasons = new FailureReasons();
  for (const part of parts) {
    findings.absorb(part.findings);
    reasons.absorb(part.reasons);
  }
  return {
    ...troubleOf({ findings, reasons }),
    died: parts.flatMap(({ died }) => died),
    silent: parts.flatMap(({ silent }) => silent),
  };
}

/** Returns the trouble of a run without any. */
export function noTrouble(): Trouble {
  return mergeTrouble([]);
}

/** Returns sentences about generators that have ended too early, or are silent. The latter may still recover. */
export function warningsOf({ died, silent }: Trouble): string[] {
  const limit = formatDuration(SILENT_AFTER);
  return [
    ...died.map((event) => capitalized(describeDeath(event))),
    ...silent.map(({ process, agent }) =>
      capitalized(`${nameOfGenerator(process, agent)} has not reported for ${limit}`)
    ),
  ];
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
