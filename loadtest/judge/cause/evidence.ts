/** Facts of a run that show why it failed, counted from its ledger. Pure. @module */
import { plural } from "../../../internal/plural.ts";
import type { RunEvent } from "../../history/events.ts";
import { SERVER_ENDED_EARLY } from "../../../relay/client_task.ts";
import { HTTP_STATUS, INVALID_HTTP, NOT_HTTP, SERVER_CLOSED_EARLY } from "../../generate/request_reply.ts";
import type { FailureReasons } from "../../ledger/failure_reasons.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { RunFacts } from "../../ledger/run_facts.ts";
import { IN_OWN_CODE, THINKING } from "../../scenario/session/texts.ts";
import { type FindingKind, type Findings, WRONG_REPLIES } from "../findings.ts";
import type { OutcomeCounts } from "../outcome_counts.ts";

/** A client that connects at its first attempt has started at most this long before that attempt, in ms. */
const FIRST_ATTEMPT = 50;

/** The start of descriptions of ends that the server or the network caused. */
const BY_SERVER = [
  "reset: ",
  "write-failed: ",
  `local: ${SERVER_ENDED_EARLY}`,
  `local: ${SERVER_CLOSED_EARLY}`,
];

/** The start of descriptions of ends that a response caused. */
const FOR_REPLY = [NOT_HTTP, INVALID_HTTP, HTTP_STATUS].map((why) => `local: ${why}`);

/** The requests of a scenario, or the sends of messages. */
export class Requests {
  readonly answered: number;
  readonly unanswered: number;
  /** Those of a scenario whose connection the server ended first. */
  readonly cut: number;
  readonly #noun: string;

  constructor(
    { answered, unanswered, cut, noun }:
      & Pick<Requests, "answered" | "unanswered" | "cut">
      & { readonly noun: string },
  ) {
    this.answered = answered;
    this.unanswered = unanswered;
    this.cut = cut;
    this.#noun = noun;
  }

  /** Returns a number of them: `30 requests`. */
  count(count: number): string {
    return plural(count, this.#noun, { format: formatCount });
  }

  /** Returns a part of all of them: `30 of 100 requests`. */
  part(count: number): string {
    return `${formatCount(count)} of ${this.count(this.answered + this.unanswered)}`;
  }
}

/** Messages of a relay without an ok. */
interface WithoutOk {
  readonly total: number;
  /** Never sent. */
  readonly unsent: number;
  /** Sent, and delivered to no client. */
  readonly undelivered: number;
  /** Delivered to a client, and answered by it. */
  readonly answered: number;
  /** Delivered to a client that did not answer it. */
  readonly held: number;
}

/** The evidence of a run. */
export class Evidence {
  readonly run: RunEvent;
  readonly facts: RunFacts;
  readonly reasons: FailureReasons;
  readonly counts: OutcomeCounts;
  readonly findings: Findings;
  /** Connections that clients made, and those of them that ended naturally. */
  readonly connections: { readonly total: number; readonly natural: number };
  /** Ends that are neither natural nor by the end of the run. */
  readonly unnaturalEnds: number;
  /** Those among them by a timeout. */
  readonly timeouts: number;
  /** Connections that the end of the run ended, or that have no end. */
  readonly openAtEnd: number;
  /** When the last connection was made; `-Infinity` without one. */
  readonly lastOpenedAt: number;
  /** When the server last sent something that is recorded with its time; `-Infinity` if it sent nothing. */
  readonly lastHeardAt: number;
  /** The earliest instant at which something can have failed: an end, a refusal, or a request; `Infinity` without one. */
  readonly firstTroubleAt: number;
  readonly requests: Requests;
  readonly withoutOk: WithoutOk;
  readonly #ledger: Ledger;

  constructor(ledger: Ledger, counts: OutcomeCounts, findings: Findings) {
    this.#ledger = ledger;
    this.run = ledger.run;
    this.facts = ledger.facts;
    this.reasons = ledger.reasons;
    this.counts = counts;
    this.findings = findings;
    const { connections } = ledger;
    let natural = 0;
    let unnatural = 0;
    let timeouts = 0;
    let openAtEnd = 0;
    let lastOpenedAt = -Infinity;
    let firstEndAt = Infinity;
    for (let row = 0; row < connections.length; row++) {
      lastOpenedAt = Math.max(lastOpenedAt, connections.openedAt.at(row));
      const reason = connections.reason(row);
      if (reason === "natural") natural++;
      else if (reason === undefined || reason === "stopped") openAtEnd++;
      if (reason === undefined || reason === "natural" || reason === "stopped") continue;
      unnatural++;
      if (reason === "timeout") timeouts++;
      firstEndAt = Math.min(firstEndAt, connections.closedAt.at(row));
    }
    this.connections = { total: connections.length, natural };
    this.unnaturalEnds = unnatural;
    this.timeouts = timeouts;
    this.openAtEnd = openAtEnd;
    this.lastOpenedAt = lastOpenedAt;
    const isScenario = ledger.run.protocol === "scenario";
    const heard = isScenario ? repliesOf(ledger) : { lastAt: lastHeardAt(ledger), firstLostAt: Infinity };
    this.lastHeardAt = heard.lastAt;
    this.firstTroubleAt = Math.min(firstEndAt, heard.firstLostAt, firstRefusalAt(ledger));
    this.requests = isScenario ? requestsOf(ledger, counts) : sendsOf(ledger, counts);
    this.withoutOk = withoutOkOf(ledger, counts);
  }

  /** Whether nothing but the absence of replies was seen. */
  get isSilence(): boolean {
    return this.counts.refused === 0 && this.reasons.count("error") === 0 &&
      WRONG_REPLIES.every((kind) => this.findings.count(kind) === 0);
  }

  /** Whether frames arrived whose time is not recorded: those that a handler of a scenario took. */
  get hasHandled(): boolean {
    return this.#ledger.scenario.frames.handled > 0;
  }

  /** Whether connections ended unnaturally, and all of these because of the server or the network. */
  get isCutByServer(): boolean {
    return this.unnaturalEnds > 0 &&
      this.reasons.every("close", (text) => BY_SERVER.some((start) => text.startsWith(start)));
  }

  /** Whether all connections that ended unnaturally did so because of an invalid response. */
  get isEndedForReply(): boolean {
    return this.reasons.every("close", (text) => FOR_REPLY.some((start) => text.startsWith(start)));
  }

  /** Whether clients ended all connections: naturally, by a timeout, or with the run. */
  get isEndedByClients(): boolean {
    return this.unnaturalEnds === this.timeouts && this.requests.cut === 0;
  }

  /** The kind of what was in flight at the end, unless sessions of a scenario were waiting for something else. */
  get underWay(): readonly FindingKind[] {
    const texts = this.findings.list(["under-way"]).map(({ text }) => text);
    const isElsewhere = texts.some((text) => [THINKING, IN_OWN_CODE].some((where) => text.endsWith(where)));
    return isElsewhere ? [] : ["under-way"];
  }

  /** The kind of unnatural ends, unless the server saw more of them than clients had. Those have another cause. */
  get unnatural(): readonly FindingKind[] {
    const { connectionEvents, server } = this.facts;
    const ended = connectionEvents.filter((event) => event.event === "ended");
    const atServer = ended.length > 0
      ? ended.filter(({ reason }) => reason !== "natural").length
      : Object.entries(server?.closed ?? {}).reduce(
        (sum, [reason, count]) => reason === "natural" ? sum : sum + count,
        0,
      );
    return atServer <= this.connections.total - this.connections.natural ? ["unnatural"] : [];
  }

  /** Returns the number of clients that started after an instant, and of those that never got a connection. */
  startedAfter(at: number): { readonly later: number; readonly refused: number } {
    const { startedAt, refusals, connects } = this.#ledger.clients.columns;
    let later = 0;
    let refused = 0;
    startedAt.forEach((started, row) => {
      if (!(started > at)) return;
      later++;
      if ((refusals[row] ?? 0) > 0 && connects[row] === 0) refused++;
    });
    return { later, refused };
  }
}

/** When a client last received a message or an ok. */
function lastHeardAt({ clients, deliveries }: Ledger): number {
  let last = -Infinity;
  for (const at of clients.columns.ackedAt) if (at > last) last = at;
  for (let row = 0; row < deliveries.length; row++) last = Math.max(last, deliveries.receivedAt.at(row));
  return last;
}

/** When the last reply of a scenario arrived, and when the first request without one was given up. */
function repliesOf({ scenario }: Ledger): { readonly lastAt: number; readonly firstLostAt: number } {
  let lastAt = -Infinity;
  let firstLostAt = Infinity;
  for (let row = 0; row < scenario.length; row++) {
    const result = scenario.resultOf(row);
    const at = scenario.endedAt.at(row);
    if (result === "lost") firstLostAt = Math.min(firstLostAt, at);
    else if (result !== "under-way") lastAt = Math.max(lastAt, at);
  }
  return { lastAt, firstLostAt };
}

/** The earliest instant at which a connection can have been refused. */
function firstRefusalAt({ clients, connections }: Ledger): number {
  const { startedAt, refusals, connects, lastConnection } = clients.columns;
  let first = Infinity;
  refusals.forEach((refused, row) => {
    if (refused === 0) return;
    const started = startedAt[row] ?? -Infinity;
    const connection = lastConnection[row] ?? -1;
    // A client whose first attempt succeeded was refused after that connection had ended.
    const isFirst = connects[row] === 1 && connection >= 0 &&
      connections.openedAt.at(connection) - connections.took.at(connection) <= started + FIRST_ATTEMPT;
    const closedAt = isFirst ? connections.closedAt.at(connection) : NaN;
    first = Math.min(first, Number.isNaN(closedAt) ? started : closedAt);
  });
  return first;
}

function requestsOf({ scenario }: Ledger, { lost, underWay }: OutcomeCounts): Requests {
  const unanswered = lost + underWay;
  const answered = scenario.length - unanswered;
  return new Requests({ answered, unanswered, cut: scenario.cut, noun: "request" });
}

function sendsOf({ clients, run }: Ledger, { acked }: OutcomeCounts): Requests {
  const sends = clients.columns.sends.reduce((sum, sent) => sum + sent, 0);
  const noun = run.protocol === "hello" ? "request" : "send";
  return new Requests({ answered: acked, unanswered: Math.max(0, sends - acked), cut: 0, noun });
}

function withoutOkOf(
  { clients, run }: Ledger,
  { lost, underWay, deliveries, answers }: OutcomeCounts,
): WithoutOk {
  const found = { total: lost + underWay, unsent: 0, undelivered: 0, answered: 0, held: 0 };
  if (run.protocol !== "relay") return found;
  const { startedAt, ackedAt, sends } = clients.columns;
  startedAt.forEach((started, row) => {
    if (Number.isNaN(started) || !Number.isNaN(ackedAt[row])) return;
    if (sends[row] === 0) found.unsent++;
    else if ((deliveries[row] ?? 0) === 0) found.undelivered++;
    else if ((answers[row] ?? 0) > 0) found.answered++;
    else found.held++;
  });
  return found;
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}
