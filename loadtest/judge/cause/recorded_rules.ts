/** Causes that were recorded as such: processes that ended, and a server that was never there. Pure. @module */
import { plural } from "../../../internal/plural.ts";
import { describeDeath, describeRestarts, NEVER_STARTED, UNRECORDED } from "../checks.ts";
import { capitalized } from "../findings.ts";
import type { Evidence } from "./evidence.ts";
import { formatCount, type FoundCause, inRun, type Rule, unread } from "./rule.ts";

/** Connections may end this much earlier than a process is known to have ended, in ms. */
const DEATH_NOTICED = 500;
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

/** The rules, in the order in which they are tried. */
export const RECORDED_RULES: readonly Rule[] = [unreachable, serverEnded, serverRestarted, generatorEnded];
