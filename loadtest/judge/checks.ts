/** The checks of the judge: each reads the ledger and adds findings. Pure. @module */
import { formatDuration } from "../../internal/duration.ts";
import { plural } from "../../internal/plural.ts";
import { lastEndOf, type OutcomeCounts, outcomeOf } from "./outcome_counts.ts";
import type { Findings } from "./findings.ts";
import {
  type DiedEvent,
  type EndedEvent,
  type GeneratorEvent,
  maxLagOf,
  type RunEvent,
} from "../history/events.ts";
import { leftoversOf } from "./leftovers.ts";
import { describeClient } from "../ledger/client_facts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { measureScheduleLag } from "../metrics/measure.ts";
import { findLateMessages, findSessionFailures } from "../scenario/judge_scenario.ts";
import { describeLimit } from "./limit.ts";
import { formatTimes } from "../ledger/failure_reasons.ts";

const PLANNED = { one: "client was", many: "clients were" };
/** The end of a finding about clients that did not start, and about those of a process that ended too early. */
export const NEVER_STARTED = "planned and never started";
export const UNRECORDED = "planned, and nothing shows that they started";

/** Replaces what every client has to say about a server that none of them reached. */
export function findUnreachable({ facts, reasons }: Ledger, findings: Findings): void {
  const { stop } = facts;
  if (stop?.why !== "unreachable") return;
  for (const kind of ["under-way", "unnatural"] as const) findings.remove(kind);
  findings.add(
    "unreachable",
    () =>
      `No client could connect, so the run ended after ${formatDuration(Math.round(stop.at))}: ${
        reasons.mostFrequent("refused")
      }`,
  );
}

/** Finds processes that ended too early. */
export function findDeaths({ run, facts }: Ledger, findings: Findings): void {
  addDeaths(run, facts.died, findings);
}

/** Adds processes that ended too early. */
export function addDeaths(run: RunEvent, died: readonly DiedEvent[], findings: Findings): void {
  for (const event of died) {
    const { process, agent } = event;
    // A process of this machine ran out of something, unless code of a user ran in it. Why an agent ended, only its machine
    // knows.
    const isOfOurs = process !== "server" && agent === undefined && run.protocol !== "scenario";
    const kind = isOfOurs && run.rules !== undefined ? "overloaded" : "died";
    findings.add(kind, () => describeDeath(event));
  }
}

/** Describes a process that ended too early. */
export function describeDeath({ process, agent, detail }: DiedEvent): string {
  const name = process === "server" ? "The server" : nameOfGenerator(process, agent);
  return `${name} ended before the run did: ${detail}`;
}

/** Returns the name of a generator process, for the middle of a sentence. */
export function nameOfGenerator(process: number, agent: string | undefined): string {
  return `generator process ${process}${agent === undefined ? "" : ` at the agent ${agent}`}`;
}

/** Finds processes of a server that ended, and were replaced, before the run ended. */
export function findRestarts({ run, facts }: Ledger, findings: Findings): void {
  const restarts = facts.server?.restarts ?? 0;
  if (restarts === 0 || run.faults) return;
  findings.add("died", () => describeRestarts(restarts));
}

/** Describes processes of a server that ended, and were replaced. */
export function describeRestarts(restarts: number): string {
  const processes = { one: "process of the server was", many: "processes of the server were" };
  return `${plural(restarts, processes)} restarted`;
}

/** Finds what the server is left with. */
export function findLeftovers({ run, facts }: Ledger, findings: Findings): void {
  const { server } = facts;
  if (server === null) {
    if (run.server === "own" && facts.stop?.why !== "unreachable") {
      findings.add("leftover", () => "The server did not report its state after the run");
    }
    return;
  }
  if (server.unread !== undefined) {
    const { unread } = server;
    findings.add("leftover", () => describeUnread(unread));
  }
  for (const left of leftoversOf(server)) findings.add("leftover", () => describeLeftover(left));
}

/** Describes a state that could not be read. */
export function describeUnread(why: string): string {
  return `The state of the server could not be read: ${why}`;
}

/** Describes what the server is left with. */
export function describeLeftover(left: string): string {
  return `The server is left with ${left}`;
}

/** Finds a server of the load test that had to be killed at its end. */
export function findHang({ facts: { killed } }: Ledger, findings: Findings): void {
  if (killed !== undefined) {
    findings.add("hung", () => `The server ${killed.detail} after the run, and was killed`);
  }
}

/** Finds messages that were delivered without a send or too often, and oks that no client sent. */
export function findUnexpected(ledger: Ledger, counts: OutcomeCounts, findings: Findings): void {
  const { run, clients, facts } = ledger;
  // A foreign server may have other clients, and a dead worker takes its records along.
  if (
    run.protocol !== "relay" || run.server !== "own" || facts.died.some(({ process }) => process !== "server")
  ) {
    return;
  }
  const { sends, ackedAt } = clients.columns;
  const duplicated: number[] = [];
  sends.forEach((sent, row) => {
    const message = clients.index(row);
    const delivered = counts.deliveries[row] ?? 0;
    if (delivered > 0 && sent === 0) {
      findings.add("unexpected", () => `Message ${message} was delivered, and no client had sent it`);
    } else if (delivered > sent) duplicated.push(row);
    if (!Number.isNaN(ackedAt[row]) && counts.answers[row] === 0) {
      findings.add(
        "unexpected",
        () => `${describeClient(ledger, message)} got an ok for message ${message} that no client had sent`,
      );
    }
  });
  if (counts.extraDeliveries <= counts.redelivered) return;
  for (const row of duplicated) {
    findings.add("unexpected", () => {
      const times = `${plural(counts.deliveries[row]!, "time")} for ${plural(sends[row]!, "send")}`;
      return `Message ${
        clients.index(row)
      } was delivered ${times}, and the server redelivered ${counts.redelivered} in total`;
    });
  }
}

/** Finds generators that were late or did not start all their clients. */
export function findOverload(ledger: Ledger, counts: OutcomeCounts, findings: Findings): void {
  const { aborted, died } = ledger.facts;
  if (counts.notStarted > 0 && !aborted) {
    // A process that ends too early takes its records along.
    const lost = died.some(({ process }) => process !== "server");
    findings.add("overloaded", () => {
      return `${plural(counts.notStarted, PLANNED)} ${lost ? UNRECORDED : NEVER_STARTED}`;
    });
  }
  findLateMessages(ledger, findings);
  const maxLag = maxLagOf(ledger.run);
  const limit = formatDuration(maxLag);
  const lag = measureScheduleLag(ledger).percentile(99) ?? 0;
  if (lag > maxLag) {
    findings.add("overloaded", () => {
      return `One client in a hundred started at least ${
        formatDuration(Math.round(lag))
      } late (limit ${limit})` +
        describeLimit(latest(ledger.facts.generators));
    });
  }
  for (const generator of ledger.facts.generators) {
    const { process, loopLag, socketLag } = generator;
    for (
      const [what, lag] of [["timers ran", loopLag], ["socket reads were", socketLag]] as const
    ) {
      if (lag <= maxLag) continue;
      findings.add("overloaded", () => {
        const agent = ledger.facts.agents.find((one) => one.process === process)?.name;
        const late = formatDuration(Math.round(lag));
        return `In ${nameOfGenerator(process, agent)}, ${what} ${late} late at the 99th ` +
          `percentile (limit ${limit})` + describeLimit(generator);
      });
    }
  }
}

/** Returns the generator whose timers were latest. */
function latest(generators: readonly GeneratorEvent[]): GeneratorEvent | undefined {
  return generators.toSorted((one, other) => other.loopLag - one.loopLag)[0];
}

/** Finds messages without an ok and, unless faults were injected, retries and unnatural ends. */
export function findFailures(ledger: Ledger, findings: Findings): void {
  const { run, clients, connections } = ledger;
  if (run.protocol === "scenario") return findSessionFailures(ledger, findings);
  const { sends, connects, refusals, lastConnection } = clients.columns;
  const { aborted } = ledger.facts;
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
          sent === 0 ? "not sent yet" : "in flight"
        } when the run ended`;
      });
    }
    if (run.faults || outcome === "not-started" || (aborted && outcome === "under-way")) return;
    if (sent > 1) unnatural(`sent its message ${formatTimes(sent)}`);
    if ((connects[row] ?? 0) > 1) unnatural(`connected ${formatTimes(connects[row] ?? 0)}`);
    if ((refusals[row] ?? 0) > 0) unnatural(`failed to connect ${formatTimes(refusals[row] ?? 0)}`);
    const end = lastEndOf(ledger, row);
    if (end === "natural") return;
    const reason = connections.reason(lastConnection[row] ?? -1) ?? "open";
    if (aborted && reason === "stopped") return;
    unnatural(end === "none" ? "has no closed connection" : `ended as ${reason}, not on its own ok`);
  });
}

/** Adds why clients failed, in the words of the OS or the server. */
export function addFailureReasons({ reasons }: Ledger, findings: Findings): void {
  for (const text of reasons.list()) findings.add("reason", () => text);
}

/** Finds unnatural ends at the server: by address if the server kept a history, otherwise by count. */
export function findServerEnds(ledger: Ledger, findings: Findings): void {
  const { run, facts } = ledger;
  // A run that a threshold stopped has cut its connections itself.
  if (run.faults || facts.aborted) return;
  const ended = facts.connectionEvents.filter((event) => event.event === "ended");
  if (ended.length === 0) {
    for (const [reason, count] of Object.entries(facts.server?.closed ?? {})) {
      if (reason === "natural" || count === 0) continue;
      findings.add("unnatural", () => `The server saw ${plural(count, "connection")} end as ${reason}`);
    }
    return;
  }
  const owners = ownersByAddress(ledger);
  for (const event of ended) {
    // Ports are reused: the connections of one address ended in the order in which they were made.
    const owner = owners.get(pairOf(event))?.shift();
    if (event.reason === "natural") continue;
    const whose = owner === undefined ? "a connection that no client made" : describeClient(ledger, owner);
    findings.add("unnatural", () => {
      return `The server saw ${whose}, from ${event.remote}, end as ${event.reason}`;
    });
  }
}

/** Returns the clients of each pair of addresses, in the order of their connections. */
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
