/** The rules that a scenario run is judged by, besides those of every run. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import { plural } from "../../internal/plural.ts";
import { maxLagOf } from "../history/events.ts";
import type { Findings } from "../judge/findings.ts";
import { describeLimit } from "../judge/limit.ts";
import { lastEndOf, type OutcomeCounts } from "../judge/outcome_counts.ts";
import { describeClient } from "../ledger/client_facts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { formatTimes } from "../ledger/failure_reasons.ts";

/** The part of the messages that may be late before the results mean nothing. */
const MOST_LATE = 0.01;

/** Counts of a scenario run: of requests where those of a relay run are of messages. */
export function countScenario(ledger: Ledger): OutcomeCounts {
  const { clients, scenario } = ledger;
  const { startedAt, connects, refusals } = clients.columns;
  const closed = { natural: 0, timeout: 0, error: 0 };
  const counts = { reconnects: 0, refused: 0, notStarted: 0 };
  startedAt.forEach((at, row) => {
    if (Number.isNaN(at)) counts.notStarted++;
    const end = lastEndOf(ledger, row);
    if (end !== "none") closed[end]++;
    counts.reconnects += Math.max(0, (connects[row] ?? 0) - 1);
    counts.refused += refusals[row] ?? 0;
  });
  return {
    clients: clients.clients,
    started: clients.clients - counts.notStarted,
    acked: scenario.count("ok"),
    lost: scenario.count("lost"),
    underWay: scenario.count("under-way"),
    recovered: 0,
    resent: 0,
    ...counts,
    extraDeliveries: 0,
    redelivered: 0,
    stray: null,
    closed,
    deliveries: new Uint32Array(0),
    answers: new Uint32Array(0),
  };
}

/** Sessions and connections that did not end as they should. */
export function findSessionFailures(ledger: Ledger, findings: Findings): void {
  const { run, clients, connections, scenario } = ledger;
  const { startedAt, refusals, lastConnection } = clients.columns;
  // A run that a threshold stopped has cut its connections itself.
  const mayBeOpen = ledger.facts.aborted || (run.rules ?? 0) < 3;
  startedAt.forEach((at, row) => {
    if (Number.isNaN(at)) return;
    const client = clients.index(row);
    if (!scenario.ended.has(client)) {
      findings.add("under-way", () => `${describeClient(ledger, client)} has no end of its session`);
    }
    if (run.faults) return;
    const unnatural = (what: string): void =>
      findings.add("unnatural", () => `${describeClient(ledger, client)} ${what}`);
    if ((refusals[row] ?? 0) > 0) unnatural(`failed to connect ${formatTimes(refusals[row] ?? 0)}`);
    const last = lastConnection[row] ?? -1;
    const reason = connections.reason(last);
    if (last < 0 || reason === "natural") return;
    if (reason !== "stopped") unnatural(`ended as ${reason ?? "open"}`);
    else if (!mayBeOpen && !scenario.unfinished.has(client)) {
      unnatural("was done, and the server had not closed its connection when the run ended");
    }
  });
}

/** Messages that the generators started late, or never. */
export function findLateMessages({ run, scenario, facts }: Ledger, findings: Findings): void {
  const maxLag = maxLagOf(run);
  for (const { process, lag, planned, heldBack, notSent } of scenario.shapes) {
    if (lag > maxLag) {
      findings.add("overloaded", () => {
        return `Generator process ${process} started one message in a hundred at least ${
          formatDuration(lag)
        } late (limit ${formatDuration(maxLag)})` +
          describeLimit(facts.generators.find((generator) => generator.process === process));
      });
    }
    if (heldBack > MOST_LATE * planned) {
      findings.add("overloaded", () => {
        return `The plan itself was the limit: ${heldBack} of ${plural(planned, "message")} waited over ` +
          `${formatDuration(maxLag)} because --in-flight messages were without a reply`;
      });
    }
    if (notSent > 0 && !facts.aborted) {
      findings.add(
        "unnatural",
        () => `${plural(notSent, "planned message")} of process ${process} could not be sent`,
      );
    }
  }
}
