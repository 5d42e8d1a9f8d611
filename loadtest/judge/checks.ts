/** The rules that a run is judged by: each looks at the ledger and tells what is wrong. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import { printable } from "../../internal/printable.ts";
import { plural } from "../../internal/plural.ts";
import { lastEndOf, type OutcomeCounts, outcomeOf } from "./outcome_counts.ts";
import type { Findings } from "./findings.ts";
import { type EndedEvent, maxLagOf } from "../history/events.ts";
import { describeClient, type Ledger } from "../ledger/ledger.ts";
import { measureScheduleLag } from "../metrics/measure.ts";
import { findLateMessages, findSessionFailures } from "../scenario/judge_scenario.ts";
import { formatTimes } from "../ledger/failure_reasons.ts";

const PLANNED = { one: "client was", many: "clients were" };

const LEFTOVERS = [
  ["connections", "open connections"],
  ["pending", "pending messages"],
  ["timers", "running timers"],
  ["queuedBytes", "queued bytes"],
  ["descriptors", "sockets more than at its start"],
] as const;

/** Processes that ended too early. */
export function findDeaths({ facts }: Ledger, findings: Findings): void {
  for (const { process, detail } of facts.died) {
    const name = process === "server" ? "The server" : `Generator process ${process}`;
    findings.add("died", () => `${name} ended before the run did: ${detail}`);
  }
}

/** What the server is left with. */
export function findLeftovers({ run, facts }: Ledger, findings: Findings): void {
  const { server } = facts;
  if (server === null) {
    if (run.server === "own") {
      findings.add("leftover", () => "The server did not tell its state after the run");
    }
    return;
  }
  for (const [field, name] of LEFTOVERS) {
    const left = server[field];
    if (left !== null && left !== 0) {
      findings.add("leftover", () => `The server is left with ${left} ${name}`);
    }
  }
  for (const [name, left] of Object.entries(server.custom ?? {})) {
    if (left !== 0) findings.add("leftover", () => `The server is left with ${left} ${printable(name)}`);
  }
}

/** Messages delivered that nobody sent, or too often; oks that no client gave. */
export function findUnexpected(ledger: Ledger, counts: OutcomeCounts, findings: Findings): void {
  const { run, clients, facts } = ledger;
  // Others may answer at a foreign server; and only the whole of the ledgers tells what was sent and answered.
  if (
    run.protocol !== "relay" || run.server !== "own" || facts.died.some(({ process }) => process !== "server")
  ) {
    return;
  }
  const { sends, ackedAt } = clients.columns;
  const duplicated: number[] = [];
  sends.forEach((sent, message) => {
    const delivered = counts.deliveries[message] ?? 0;
    if (delivered > 0 && sent === 0) {
      findings.add("unexpected", () => `Message ${message} was delivered, and nobody had sent it`);
    } else if (delivered > sent) duplicated.push(message);
    if (!Number.isNaN(ackedAt[message]) && counts.answers[message] === 0) {
      findings.add(
        "unexpected",
        () => `${describeClient(ledger, message)} got an ok for message ${message} that no client had given`,
      );
    }
  });
  if (counts.extraDeliveries <= counts.redelivered) return;
  for (const message of duplicated) {
    findings.add("unexpected", () => {
      const times = `${plural(counts.deliveries[message]!, "time")} for ${plural(sends[message]!, "send")}`;
      return `Message ${message} was delivered ${times}, and the server redelivered ${counts.redelivered} in all`;
    });
  }
}

/** A generator that was late, or did not start all its clients. */
export function findOverload(ledger: Ledger, counts: OutcomeCounts, findings: Findings): void {
  if (counts.notStarted > 0) {
    findings.add("overloaded", () => `${plural(counts.notStarted, PLANNED)} planned and never started`);
  }
  findLateMessages(ledger, findings);
  const maxLag = maxLagOf(ledger.run);
  const bound = formatDuration(maxLag);
  const lag = measureScheduleLag(ledger).percentile(99) ?? 0;
  if (lag > maxLag) {
    findings.add("overloaded", () => {
      return `One client in a hundred started ${
        formatDuration(lag)
      } late or more, over the bound of ${bound}`;
    });
  }
  for (const { process, loopLag, socketLag } of ledger.facts.generators) {
    for (
      const [what, lag] of [["its event loop", loopLag], ["hearing from its sockets", socketLag]] as const
    ) {
      if (lag <= maxLag) continue;
      findings.add("overloaded", () => {
        return `Generator process ${process} lagged in ${what} by ${formatDuration(lag)} at the 99th ` +
          `percentile, over the bound of ${bound}`;
      });
    }
  }
}

/** Messages without their ok, and, unless faults were asked for, whatever did not go smoothly. */
export function findFailures(ledger: Ledger, findings: Findings): void {
  const { run, clients, connections } = ledger;
  if (run.protocol === "scenario") return findSessionFailures(ledger, findings);
  const { sends, connects, refusals, lastConnection } = clients.columns;
  sends.forEach((sent, row) => {
    const client = clients.index(row);
    const who = (): string => describeClient(ledger, client);
    const unnatural = (what: string): void => findings.add("unnatural", () => `${who()} ${what}`);
    const outcome = outcomeOf(ledger, row);
    if (outcome === "lost") {
      findings.add(
        "lost",
        () => `Message ${client} of ${who()} was sent ${formatTimes(sent)} and never acknowledged`,
      );
    } else if (outcome === "under-way") {
      findings.add("under-way", () => {
        return `Message ${client} of ${who()} was ${
          sent === 0 ? "not sent yet" : "under way"
        } when the run ended`;
      });
    }
    if (run.faults || outcome === "not-started") return;
    if (sent > 1) unnatural(`sent its message ${formatTimes(sent)}`);
    if ((connects[row] ?? 0) > 1) unnatural(`connected ${formatTimes(connects[row] ?? 0)}`);
    if ((refusals[row] ?? 0) > 0) unnatural(`failed to connect ${formatTimes(refusals[row] ?? 0)}`);
    const end = lastEndOf(ledger, row);
    if (end === "natural") return;
    const reason = connections.reason(lastConnection[row] ?? -1) ?? "open";
    unnatural(end === "none" ? "has no last connection that ended" : `ended as ${reason}, not on its own ok`);
  });
}

/** Why clients failed, in the words that they were told. */
export function addFailureReasons({ reasons }: Ledger, findings: Findings): void {
  for (const text of reasons.list()) findings.add("reason", () => text);
}

/** Ends that were not natural at the server: each by its address where the server kept a history, else by count. */
export function findServerEnds(ledger: Ledger, findings: Findings): void {
  const { run, facts } = ledger;
  if (run.faults) return;
  const ended = facts.peers.filter((event) => event.event === "ended");
  if (ended.length === 0) {
    for (const [reason, count] of Object.entries(facts.server?.closed ?? {})) {
      if (reason === "natural" || count === 0) continue;
      findings.add("unnatural", () => `The server saw ${plural(count, "connection")} end as ${reason}`);
    }
    return;
  }
  const owners = ownersByAddress(ledger);
  for (const event of ended) {
    // Ports are used again: the connections of one address ended in the order in which they were made.
    const owner = owners.get(pairOf(event))?.shift();
    if (event.reason === "natural") continue;
    const whose = owner === undefined ? "a connection that no client made" : describeClient(ledger, owner);
    findings.add("unnatural", () => {
      return `The server saw ${whose}, from ${event.remote}, end as ${event.reason}`;
    });
  }
}

/** The clients of each pair of addresses, in the order of their connections. */
function ownersByAddress({ connections }: Ledger): Map<string, number[]> {
  const owners = new Map<string, number[]>();
  for (let row = 0; row < connections.length; row++) {
    const pair = `${connections.local(row)} ${connections.remote(row)}`;
    const clients = owners.get(pair);
    if (clients) clients.push(connections.client.at(row));
    else owners.set(pair, [connections.client.at(row)]);
  }
  return owners;
}

function pairOf({ local, remote }: EndedEvent): string {
  return `${remote} ${local}`;
}
