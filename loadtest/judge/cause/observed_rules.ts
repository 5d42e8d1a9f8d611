/** Causes that show in what the clients saw, if nothing disturbed them. Pure. @module */
import { plural } from "../../../internal/plural.ts";
import { formatTimes } from "../../ledger/failure_reasons.ts";
import type { Evidence } from "./evidence.ts";
import {
  type Cause,
  duration,
  formatCount,
  type FoundCause,
  inRun,
  pending,
  type Rule,
  unread,
} from "./rule.ts";

/** Fewer requests or clients do not show that the server changed at some instant. */
const FEWEST = 5;
/** A server that has not replied for less than this, in ms, may be about to. */
const SILENT_FOR = 1000;
/** The instants that a busy client records may be off by this much, in ms. */
const RECORDED = 100;

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

/** The rules, in the order in which they are tried. */
export const OBSERVED_RULES: readonly Rule[] = [
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
