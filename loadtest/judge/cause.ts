/** Finds the likely cause of a failed run: one fact that other findings follow from. Pure. @module */
import { formatDuration, MAX_DURATION } from "../../internal/duration.ts";
import { plural } from "../../internal/plural.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { formatTimes } from "../ledger/failure_reasons.ts";
import {
  describeDeath,
  describeLeftover,
  describeRestarts,
  describeUnread,
  NEVER_STARTED,
  UNRECORDED,
} from "./checks.ts";
import { Evidence } from "./evidence.ts";
import { capitalized, type Finding, type FindingKind, type Findings } from "./findings.ts";
import { leftoversOf } from "./leftovers.ts";
import type { OutcomeCounts } from "./outcome_counts.ts";

/** The kinds of causes. */
export type CauseKind =
  /** No client ever connected. */
  | "unreachable"
  /** The server of the load test ended during the run. */
  | "server-ended"
  /** Processes of the server ended, and were replaced. */
  | "server-restarted"
  /** A generator process of an agent ended during the run. */
  | "generator-ended"
  /** From some instant on, no client could connect. */
  | "stopped-accepting"
  /** Clients could not connect, and nothing else failed. */
  | "not-connected"
  /** The server answered with errors. */
  | "error-replies"
  /** The server answered with other texts than the messages. */
  | "wrong-replies"
  /** The server ended connections before its reply. */
  | "closed-early"
  /** The server never replied. */
  | "no-replies"
  /** From some instant on, the server did not reply. */
  | "stopped-replying"
  /** The relay delivered messages to no client. */
  | "not-delivered"
  /** The relay returned no ok for messages that clients had answered. */
  | "not-acknowledged"
  /** The server did not reply to some requests. */
  | "missing-replies";

/** The likely cause of a failed run. */
export interface Cause {
  /** Its kind. */
  readonly kind: CauseKind;
  /** A sentence with its evidence, without a final period. */
  readonly text: string;
}

/** A cause, and the findings that follow from it. */
export interface FoundCause extends Cause {
  /** Kinds of which every finding follows. */
  readonly kinds: readonly FindingKind[];
  /** Texts of other findings that follow. */
  readonly texts: readonly string[];
}

/** Fewer requests or clients do not show that the server changed at some instant. */
const FEWEST = 5;
/** A server that has not replied for less than this, in ms, may be about to. */
const SILENT_FOR = 1000;
/** Connections may end this much earlier than a process is known to have ended, in ms. */
const DEATH_NOTICED = 500;
/** The instants that a busy client records may be off by this much, in ms. */
const RECORDED = 100;

/**
 * Finds the likely cause of a failed run, and what follows from it. A rule applies only if the recorded facts leave no other
 * cause for the findings that it explains; if none applies, nothing is claimed.
 */
export function findCause(ledger: Ledger, counts: OutcomeCounts, findings: Findings): FoundCause | undefined {
  const { run } = ledger;
  const evidence = new Evidence(ledger, counts, findings);
  for (const rule of RULES) {
    const cause = rule(evidence);
    if (cause !== undefined) return cause;
  }
  // Injected faults, or a generator that is late, may be why there is no reply.
  const isDisturbed = ["overloaded", "inconsistent"].some((kind) => findings.count(kind as FindingKind) > 0);
  if (run.faults || isDisturbed) return undefined;
  for (const rule of UNDISTURBED_RULES) {
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

type Rule = (evidence: Evidence) => FoundCause | undefined;

function unreachable({ findings }: Evidence): FoundCause | undefined {
  const [found] = findings.list(["unreachable"]);
  return found && { kind: "unreachable", text: found.text, kinds: [], texts: [] };
}

function serverEnded(evidence: Evidence): FoundCause | undefined {
  const { facts, findings, reasons } = evidence;
  const death = facts.died.find(({ process }) => process === "server");
  if (death === undefined) return undefined;
  const unstarted = facts.stop?.why === "died"
    ? findings.list(["overloaded"]).map(({ text }) => text).filter((text) => text.endsWith(NEVER_STARTED))
    : [];
  // What went wrong before has another cause.
  const isFirst = evidence.firstTroubleAt >= death.at - DEATH_NOTICED;
  return {
    kind: "server-ended",
    text: `${capitalized(describeDeath(death))}, ${inRun(death.at)}`,
    kinds: [
      ...(facts.server === null ? ["leftover" as const] : []),
      ...(isFirst ? ["lost" as const, "under-way" as const, ...evidence.unnatural] : []),
    ],
    texts: [...unread(evidence), ...unstarted, ...(isFirst ? reasons.list(["refused", "close"]) : [])],
  };
}

function serverRestarted(evidence: Evidence): FoundCause | undefined {
  const { facts, connections, unnaturalEnds, reasons, counts, run } = evidence;
  const restarts = facts.server?.restarts ?? 0;
  // A process that ends cuts its connections. Timeouts, refusals, and lost messages may have another cause.
  const isCut = evidence.isCutByServer && counts.refused + counts.lost + counts.underWay === 0;
  if (restarts === 0 || run.faults || !isCut) return undefined;
  return {
    kind: "server-restarted",
    text: `${capitalized(describeRestarts(restarts))}, and the server ended ${
      formatCount(unnaturalEnds)
    } of ${plural(connections.total, "connection", { format: formatCount })} early`,
    kinds: evidence.unnatural,
    texts: [describeRestarts(restarts), ...reasons.list(["close"])],
  };
}

function generatorEnded({ facts, findings }: Evidence): FoundCause | undefined {
  const death = facts.died.find(({ process }) => process !== "server");
  if (death === undefined) return undefined;
  return {
    kind: "generator-ended",
    text: capitalized(describeDeath(death)),
    kinds: [],
    // The records of its clients ended with it.
    texts: findings.list(["overloaded"]).map(({ text }) => text)
      .filter((text) => text.endsWith(UNRECORDED)),
  };
}

function stoppedAccepting(evidence: Evidence): FoundCause | undefined {
  const { lastOpenedAt, reasons } = evidence;
  const { later, refused } = evidence.startedAfter(lastOpenedAt);
  if (
    lastOpenedAt === -Infinity || later < FEWEST || refused < later ||
    evidence.firstTroubleAt < lastOpenedAt - RECORDED
  ) {
    return undefined;
  }
  const clients = plural(later, { one: "client that started later", many: "clients that started later" });
  return {
    kind: "stopped-accepting",
    text: `The server accepted its last connection ${inRun(lastOpenedAt)}: ${clients} could not connect (${
      reasons.mostFrequent("refused")
    })`,
    kinds: ["lost", ...evidence.underWay, ...evidence.unnatural],
    texts: [...unread(evidence), ...reasons.list(["refused", "close"])],
  };
}

function notConnected(evidence: Evidence): FoundCause | undefined {
  const { counts, reasons, requests } = evidence;
  const isOnly = evidence.unnaturalEnds === 0 && counts.lost + counts.resent + counts.reconnects === 0 &&
    requests.unanswered === 0;
  if (counts.refused === 0 || !isOnly) return undefined;
  return {
    kind: "not-connected",
    text: `Clients could not connect ${formatTimes(counts.refused)}, most often: ${
      reasons.mostFrequent("refused")
    }`,
    kinds: ["under-way", ...evidence.unnatural],
    texts: reasons.list(["refused"]),
  };
}

function errorReplies(evidence: Evidence): FoundCause | undefined {
  const { requests, reasons, counts } = evidence;
  const errors = reasons.count("error");
  // Those in flight at the end of the run may be without an error.
  const isEach = errors >= requests.unanswered;
  const fewest = Math.max(1, requests.unanswered - evidence.openAtEnd);
  if (requests.unanswered === 0 || errors < fewest || counts.refused > 0) return undefined;
  const noun = reasons.every("error", (text) => text.startsWith("error "))
    ? "error"
    : { one: "error or invalid frame", many: "errors or invalid frames" };
  const most = reasons.mostFrequent("error");
  const isOnly = reasons.every("error", (text) => text === most);
  return {
    kind: "error-replies",
    text: `The server sent ${plural(errors, noun, { format: formatCount })}, and no ok for ${
      requests.count(requests.unanswered)
    }${isOnly ? "" : ", most often"}: ${most}`,
    kinds: ["lost", ...(isEach ? evidence.underWay : []), ...evidence.unnatural],
    texts: [...reasons.list(["close"]), ...pending(evidence)],
  };
}

function wrongReplies(evidence: Evidence): FoundCause | undefined {
  const { run, requests, findings, counts, reasons, unnaturalEnds } = evidence;
  if (requests.unanswered === 0 || counts.refused > 0) return undefined;
  if (run.protocol === "hello" && unnaturalEnds > 0 && evidence.isEndedForReply) {
    return {
      kind: "wrong-replies",
      text: `The server answered ${requests.part(unnaturalEnds)} with another response than expected`,
      kinds: ["lost", ...evidence.unnatural],
      texts: [], // The reasons say what is wrong with the responses.
    };
  }
  const wrong = findings.count("unexpected");
  if (run.protocol !== "echo" || wrong < requests.unanswered) return undefined;
  return {
    kind: "wrong-replies",
    text: `The server sent ${
      plural(wrong, { one: "unexpected reply", many: "unexpected replies" }, { format: formatCount })
    }, and not the expected one to ${requests.part(requests.unanswered)}`,
    kinds: ["lost", ...evidence.underWay, ...evidence.unnatural],
    texts: reasons.list(["close"]),
  };
}

function closedEarly(evidence: Evidence): FoundCause | undefined {
  const { requests, reasons, connections, run } = evidence;
  if (requests.unanswered === 0 || !evidence.isSilence) return undefined;
  const isScenario = run.protocol === "scenario";
  if (isScenario && requests.cut < requests.unanswered) return undefined;
  if (!evidence.isCutByServer && !(isScenario && evidence.unnaturalEnds === 0)) return undefined;
  return {
    kind: "closed-early",
    text: isScenario
      ? `The server ended connections before its reply to ${requests.part(requests.cut)}`
      : `The server ended ${evidence.unnaturalEnds.toLocaleString("en")} of ${
        plural(connections.total, "connection", { format: formatCount })
      } before its reply`,
    kinds: ["lost", ...evidence.unnatural],
    texts: reasons.list(["close"]),
  };
}

function noReplies(evidence: Evidence): FoundCause | undefined {
  const { requests, connections, lastHeardAt } = evidence;
  if (requests.unanswered === 0 || lastHeardAt > -Infinity || evidence.hasHandled) return undefined;
  if (!evidence.isSilence || !evidence.isEndedByClients) return undefined;
  return withoutReply(evidence, {
    kind: "no-replies",
    text: `The server accepted ${
      plural(connections.total, "connection", { format: formatCount })
    }, and replied to none of ${requests.count(requests.unanswered)} in time`,
  });
}

function stoppedReplying(evidence: Evidence): FoundCause | undefined {
  const { requests, lastHeardAt, facts, withoutOk } = evidence;
  if (!evidence.isSilence || evidence.hasHandled || !evidence.isEndedByClients) return undefined;
  if (Math.min(requests.unanswered, requests.answered) < FEWEST || withoutOk.held > 0) return undefined;
  // A request that was given up while others were answered has another cause.
  const end = facts.stop?.at ?? -Infinity;
  if (evidence.firstTroubleAt < lastHeardAt || end < lastHeardAt + SILENT_FOR) return undefined;
  return withoutReply(evidence, {
    kind: "stopped-replying",
    text: `The server stopped replying ${inRun(lastHeardAt)}: ${
      requests.count(requests.unanswered)
    } had no reply, and nothing arrived for the last ${duration(end - lastHeardAt)}`,
  });
}

/** A relay lets clients answer, so that a reply may be missing because of them. */
function lostInRelay(evidence: Evidence): FoundCause | undefined {
  const { run, counts, withoutOk, reasons } = evidence;
  if (run.protocol !== "relay" || withoutOk.total === 0) return undefined;
  // Messages that were acknowledged after another attempt, or not sent, have another cause.
  if (counts.recovered > 0 || withoutOk.unsent > 0) return undefined;
  if (!evidence.isSilence || !evidence.isEndedByClients) return undefined;
  const all = plural(counts.clients, "message", { format: formatCount });
  const messages = `${formatCount(withoutOk.total)} of ${all}`;
  const what = withoutOk.undelivered === withoutOk.total
    ? {
      kind: "not-delivered",
      text: `The server did not deliver ${messages} to any client${
        run.server === "own" ? "" : " of this run"
      }`,
    } as const
    : withoutOk.answered === withoutOk.total
    ? {
      kind: "not-acknowledged",
      text: `The server returned no ok for ${messages}, although clients had answered`,
    } as const
    : undefined;
  return what && {
    ...what,
    kinds: ["lost", ...evidence.underWay, ...evidence.unnatural],
    texts: [...reasons.list(["close"]), ...pending(evidence)],
  };
}

function missingReplies(evidence: Evidence): FoundCause | undefined {
  const { run, requests } = evidence;
  if (run.protocol === "relay" || requests.unanswered === 0) return undefined;
  if (!evidence.isSilence || !evidence.isEndedByClients) return undefined;
  return withoutReply(evidence, {
    kind: "missing-replies",
    text: `The server sent no reply to ${requests.part(requests.unanswered)} in time`,
  });
}

/** A server that does not reply cannot report its state, or end, if that is because it hangs. */
function withoutReply(evidence: Evidence, cause: Cause): FoundCause {
  const { facts, reasons } = evidence;
  const hangs = cause.kind !== "missing-replies" &&
    (facts.server === null || facts.server.unread !== undefined);
  return {
    ...cause,
    kinds: [
      "lost",
      ...evidence.underWay,
      ...evidence.unnatural,
      ...(hangs ? ["hung" as const] : []),
      ...(hangs && facts.server === null ? ["leftover" as const] : []),
    ],
    texts: [...reasons.list(["close"]), ...pending(evidence), ...(hangs ? unread(evidence) : [])],
  };
}

/** The finding about a state that could not be read. */
function unread({ facts }: Evidence): string[] {
  return facts.server?.unread === undefined ? [] : [describeUnread(facts.server.unread)];
}

/** The finding about pending messages, if there are no more than clients have without an ok. */
function pending({ facts, withoutOk }: Evidence): string[] {
  const left = facts.server?.pending ?? 0;
  if (left > withoutOk.total) return [];
  const none = { connections: 0, timers: 0, queuedBytes: 0, descriptors: 0 };
  return leftoversOf({ ...none, pending: left }).map(describeLeftover);
}

/** Whether a cause says more than the only kind of finding that it explains. */
function isUseful({ kind, kinds, texts }: FoundCause, { findings }: Evidence): boolean {
  const explained = kinds.filter((one) => findings.count(one) > 0).length + (texts.length > 0 ? 1 : 0);
  return explained > (kind === "missing-replies" ? 1 : 0);
}

function inRun(at: number): string {
  return `${duration(at)} after the start`;
}

/** A history may contain any number. */
function duration(ms: number): string {
  return formatDuration(Math.min(MAX_DURATION, Math.max(0, Math.round(ms))));
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}

/** Rules about facts that were recorded as such. */
const RULES: readonly Rule[] = [unreachable, serverEnded, serverRestarted, generatorEnded];

/** Rules about what clients saw, if nothing disturbed them. */
const UNDISTURBED_RULES: readonly Rule[] = [
  stoppedAccepting,
  notConnected,
  errorReplies,
  wrongReplies,
  closedEarly,
  noReplies,
  stoppedReplying,
  lostInRelay,
  missingReplies,
];
