/** Describes verdicts in a sentence. Pure. @module */
import { plural } from "../../internal/plural.ts";
import { crossedThresholds, type Summary } from "../metrics/summary.ts";
import type { ScenarioMetrics } from "../scenario/measure_scenario.ts";
import type { FindingKind } from "./findings.ts";
import { leftoversOf } from "./leftovers.ts";
import { FINDING_ORDER } from "./verdict.ts";

/** The part of a summary that {@linkcode describeVerdict} needs. */
export type VerdictFacts =
  & Pick<
    Summary,
    "cause" | "verdict" | "clients" | "acked" | "closed" | "reconnects" | "thresholds" | "scenario"
  >
  & FlawFacts;

/** The part of a summary that {@linkcode describeFlaws} needs. */
export type FlawFacts =
  & Pick<
    Summary,
    "findings" | "findingCounts" | "lost" | "underWay" | "refused" | "server"
  >
  & { readonly scenario?: Pick<ScenarioMetrics, "notSent"> };

/**
 * Describes the verdict of a run in a sentence without a final period.
 *
 * @example
 * ```ts
 * import { describeVerdict } from "./verdict_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const closed = { natural: 9, timeout: 1, error: 0 };
 * const counts = { clients: 10, acked: 9, lost: 1, underWay: 0, refused: 0, reconnects: 0, closed, server: null };
 * const found = { findings: [], findingCounts: { duplicate: 3, lost: 1 } };
 * const run = { verdict: "failed", ...counts, ...found, thresholds: [] } as const;
 * assertEquals(describeVerdict(run), "3 duplicate replies, 1 lost; 9 of 10 messages acknowledged");
 * ```
 */
export function describeVerdict(run: VerdictFacts): string {
  return verdictSentences(run).join("; ");
}

/** Describes the verdict of a run: the likely cause of a failure, if it is known, and then what was counted. */
export function verdictSentences(run: VerdictFacts): [string, ...string[]] {
  const { cause } = run;
  const counted = describeCounts(run);
  return cause === undefined || cause.text === counted ? [counted] : [cause.text, counted];
}

function describeCounts(run: VerdictFacts): string {
  const { verdict, clients, acked } = run;
  const { messages, verb } = run.scenario === undefined
    ? { messages: clients, verb: "acknowledged" }
    : { messages: run.scenario.requests, verb: "answered as expected" };
  const noun = run.scenario === undefined ? "message" : "request";
  const all = messages === 0
    ? `No ${noun} was sent`
    : messages === 1
    ? `The one ${noun} was ${verb}`
    : `All ${messages.toLocaleString("en")} ${noun}s were ${verb}`;
  const some = messages === 0
    ? `no ${noun} was sent`
    : `${acked.toLocaleString("en")} of ${messages.toLocaleString("en")} ${noun}s ${verb}`;
  const natural = run.closed.natural === clients && run.reconnects === 0;
  // Without natural ends, a good verdict is that of a run with injected faults, or of a scenario whose connections the end
  // of the run has closed.
  const ends = natural
    ? "every connection closed naturally"
    : run.scenario === undefined
    ? "despite the injected faults"
    : `${formatCount(run.closed.natural)} of ${
      plural(clients, "connection", { format: formatCount })
    } closed ` +
      "naturally before the run ended";
  const crossed = crossedThresholds(run);
  const flaws = describeFlaws(run);
  const but = [some, ...flaws].join(", ");
  switch (verdict) {
    case "proven":
      return `${all}, ${ends}, and the server was left with nothing`;
    case "delivered":
      return `${all}, ${ends}; the state of the server is unknown`;
    case "threshold":
      if (run.thresholds.some(({ aborted }) => aborted)) {
        return `Stopped early, because ${crossed.join(" and ")} ${
          crossed.length === 1 ? "does" : "do"
        } not hold: ${but}`;
      }
      return `${all}, but ${crossed.join(" and ")} ${crossed.length === 1 ? "does" : "do"} not hold`;
    case "invalid":
      return `The metrics mean nothing, because the generator could not keep up: ${
        overloadOf(run)
      }; use fewer clients or a longer window, or allow more lag (--max-lag)`;
    case "interrupted":
      return `Stopped before the end: ${but}`;
    case "failed":
      // What is wrong comes first: often all requests were answered.
      return unreachableText(run) ?? (flaws.length === 0 ? some : `${flaws.join(", ")}; ${some}`);
  }
}

/** Kinds of findings in a few words. A kind that explains others, or that the sentence names anyway, is not here. */
const NOUNS: Readonly<Partial<Record<FindingKind, { readonly one: string; readonly many: string }>>> = {
  died: { one: "process ended early", many: "processes ended early" },
  unexpected: { one: "unexpected", many: "unexpected" },
  duplicate: { one: "duplicate reply", many: "duplicate replies" },
  wrong: { one: "wrong reply", many: "wrong replies" },
  truncated: { one: "truncated reply", many: "truncated replies" },
  foreign: { one: "reply to another session", many: "replies to other sessions" },
  reordered: { one: "reply out of order", many: "replies out of order" },
  check: { one: "failed check", many: "failed checks" },
  scenario: { one: "error thrown by the scenario", many: "errors thrown by the scenario" },
  hung: { one: "server that had to be killed", many: "servers that had to be killed" },
  inconsistent: { one: "contradiction in the events", many: "contradictions in the events" },
  lost: { one: "lost", many: "lost" },
  "under-way": { one: "in flight at the end", many: "in flight at the end" },
};

const UNFINISHED = { one: "session unfinished", many: "sessions unfinished" };

const UNNATURAL = { one: "unnatural end", many: "unnatural ends" };
const UNNATURAL_OR_RETRY = { one: "unnatural end or retry", many: "unnatural ends or retries" };

/** The most flaws in one sentence. */
const MOST = 4;

/** Describes what is wrong with a run in a few words each, the most serious first. */
export function describeFlaws(
  { findings, findingCounts, lost, underWay, refused, scenario, server }: FlawFacts,
): string[] {
  const unreachable = unreachableText({ findings });
  if (unreachable !== undefined) return [lowered(unreachable)];
  const counts = { ...findingCounts, lost, "under-way": underWay };
  const flaws = FINDING_ORDER.flatMap((kind) => {
    if (kind === "leftover") return findingCounts.leftover === undefined ? [] : describeLeftovers(server);
    const [count = 0, noun] = [counts[kind], NOUNS[kind]];
    return count === 0 || noun === undefined ? [] : [plural(count, noun, { format: formatCount })];
  });
  // A session may be unfinished without a request in flight.
  const unfinished = scenario === undefined ? 0 : (findingCounts["under-way"] ?? 0) - underWay;
  if (unfinished > 0) flaws.push(plural(unfinished, UNFINISHED, { format: formatCount }));
  if (scenario !== undefined && scenario.notSent > 0) flaws.push(`${formatCount(scenario.notSent)} not sent`);
  if (refused > 0) flaws.push(`could not connect ${plural(refused, "time", { format: formatCount })}`);
  const unnatural = findingCounts.unnatural ?? 0;
  // A scenario does not retry, so an unnatural end is often why replies were lost.
  if (unnatural > 0 && (flaws.length === 0 || scenario !== undefined && refused === 0)) {
    const noun = scenario === undefined ? UNNATURAL_OR_RETRY : UNNATURAL;
    flaws.push(plural(unnatural, noun, { format: formatCount }));
  }
  return flaws.slice(0, MOST);
}

function describeLeftovers(server: FlawFacts["server"]): string[] {
  if (server === null) return ["state of the server not reported"];
  const left = leftoversOf(server);
  return [
    ...(left.length === 0 ? [] : [`${left.join(" and ")} left at the server`]),
    ...(server.unread === undefined ? [] : ["state of the server not read"]),
  ];
}

/** Why there was nothing to judge. */
function unreachableText({ findings }: Pick<FlawFacts, "findings">): string | undefined {
  return findings.find(({ kind }) => kind === "unreachable")?.text;
}

/** The limit that made a run invalid, without the further causes that a finding has after a colon. */
function overloadOf({ findings }: FlawFacts): string {
  const text = findings.find(({ kind }) => kind === "overloaded")?.text ?? "it hit a limit of its own";
  return lowered(text.split(": ", 1)[0]!);
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}

function lowered(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
