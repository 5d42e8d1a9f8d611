/**
 * The account of a load test: events in, and for every message and every connection what became of it. Each
 * process keeps one of its own clients; they are added up at the end. Pure, and in typed arrays, for a million
 * messages are a normal run.
 *
 * @module
 */
import { type ClientSlice, ClientTable, type ClientTableSnapshot } from "./client_table.ts";
import { ConnectionTable, type ConnectionTableSnapshot } from "./connection_table.ts";
import { DeliveryTable, type DeliveryTableSnapshot } from "./delivery_table.ts";
import { Findings, type FindingsSnapshot } from "../judge/findings.ts";
import type { CloseEvent, ConnectEvent, HistoryEvent, MessageEvent, RunEvent } from "../history/events.ts";
import { ScenarioTable, type ScenarioTableSnapshot } from "../scenario/scenario_table.ts";
import { FailureReasons, type FailureReasonsSnapshot } from "./failure_reasons.ts";
import { RunFacts, type RunFactsSnapshot } from "./run_facts.ts";

/** A {@linkcode Ledger} as plain data, fit for `structuredClone` and `node:v8` `serialize`. */
export interface LedgerSnapshot {
  readonly clients: ClientTableSnapshot;
  readonly connections: ConnectionTableSnapshot;
  readonly deliveries: DeliveryTableSnapshot;
  readonly findings: FindingsSnapshot;
  readonly reasons: FailureReasonsSnapshot;
  readonly facts: RunFactsSnapshot;
  readonly scenario: ScenarioTableSnapshot;
}

/**
 * Books events.
 *
 * The events of one client must come in their order; those of different clients may come in any.
 *
 * @example
 * ```ts
 * import { Ledger } from "./ledger.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ledger = new Ledger({
 *   event: "run", schema: 1, seed: 1, clients: 1, protocol: "relay", server: "own", faults: false,
 * });
 * ledger.record({ event: "planned", client: 0, at: 5, text: "hello #0" });
 * ledger.record({ event: "start", client: 0, at: 5.2 });
 * ledger.record({ event: "ack", client: 0, at: 6, message: 0 }); // it was never sent
 * assertEquals(ledger.findings.count("unexpected"), 1);
 * ```
 */
export class Ledger {
  readonly run: RunEvent;
  readonly clients: ClientTable;
  readonly connections: ConnectionTable = new ConnectionTable();
  readonly deliveries: DeliveryTable = new DeliveryTable();
  readonly findings: Findings = new Findings();
  readonly reasons: FailureReasons = new FailureReasons();
  readonly facts: RunFacts = new RunFacts();
  /** What scenario sessions did; empty for other protocols. */
  readonly scenario: ScenarioTable;

  /**
   * @param run The event that begins the history
   * @param part Which of the clients this ledger is for. Default: all
   */
  constructor(run: RunEvent, part: Omit<ClientSlice, "clients"> = {}) {
    this.run = run;
    this.scenario = new ScenarioTable({ findings: this.findings, ordered: run.ordered ?? true });
    this.clients = new ClientTable({ ...part, clients: run.clients });
  }

  /** Books one event; what contradicts the events before it becomes a finding. */
  record(event: HistoryEvent): void {
    switch (event.event) {
      case "run":
        if (event !== this.run) this.findings.add("inconsistent", () => "The run begins twice");
        return;
      case "server":
      case "stop":
      case "generator":
      case "died":
      case "fault":
      case "accepted":
      case "ended":
        return this.facts.record(event);
      case "shape":
        return this.scenario.recordShape(event);
      case "verdict":
        return; // not part of the account, but what was made of it
      default:
        this.#recordClient(event);
    }
  }

  #recordClient(event: Extract<HistoryEvent, { client: number }>): void {
    const row = this.clients.row(event.client);
    if (row < 0) {
      return this.#inconsistent(event.client, `has the event "${event.event}" and is not of this plan`);
    }
    const { plannedAt, startedAt, refusals } = this.clients.columns;
    const at = toMicroseconds(event.at);
    switch (event.event) {
      case "planned":
        if (!Number.isNaN(plannedAt[row])) return this.#inconsistent(event.client, "was planned twice");
        plannedAt[row] = at;
        return;
      case "start":
        if (Number.isNaN(plannedAt[row])) {
          return this.#inconsistent(event.client, "started and was not planned");
        }
        if (!Number.isNaN(startedAt[row])) return this.#inconsistent(event.client, "started twice");
        startedAt[row] = at;
        return;
      case "refused":
        refusals[row] = (refusals[row] ?? 0) + 1;
        return this.reasons.add("refused", event.error);
      case "error":
        return this.reasons.add("error", event.text);
      case "connect":
        return this.#connect(event, row);
      case "send":
        return this.#send(event.client, row);
      case "receive":
        return this.#receive(event, row);
      case "answer":
        return this.#answer(event);
      case "ack":
        return this.#ack(event, row);
      case "close":
        return this.#close(event, row);
      case "ask":
      case "frame":
      case "push":
      case "check":
      case "metric":
      case "session":
        return this.scenario.record(event, () => this.#who(event.client));
    }
  }

  #connect(event: ConnectEvent, row: number): void {
    const { client, took, local, remote } = event;
    const { connects, lastConnection, startedAt } = this.clients.columns;
    if (Number.isNaN(startedAt[row])) return this.#inconsistent(client, "connected and had not started");
    if (this.#openConnection(row) !== undefined) {
      return this.#inconsistent(client, "connected while it was connected");
    }
    connects[row] = (connects[row] ?? 0) + 1;
    const at = toMicroseconds(event.at);
    lastConnection[row] = this.connections.open({ client, at, took: toMicroseconds(took), local, remote });
  }

  #send(client: number, row: number): void {
    const connection = this.#openConnection(row);
    if (connection === undefined) return this.#inconsistent(client, "sent its message and was not connected");
    const { sends } = this.clients.columns;
    sends[row] = (sends[row] ?? 0) + 1;
    this.connections.count("sends", connection);
  }

  #receive(event: MessageEvent<"receive">, row: number): void {
    const { client, message } = event;
    if (this.#openConnection(row) === undefined) {
      return this.#inconsistent(client, `received ${nameOf(message)} and was not connected`);
    }
    if (this.#isPlanned(message)) {
      return this.deliveries.receive(client, { message, at: toMicroseconds(event.at) });
    }
    if (this.run.server === "own") {
      this.findings.add(
        "unexpected",
        () => `${this.#who(client)} received ${nameOf(message)}, which nobody sent`,
      );
    }
  }

  #answer(event: MessageEvent<"answer">): void {
    const { client, message } = event;
    if (!this.#isPlanned(message)) return; // another user's, and its business
    if (!this.deliveries.answer(client, { message, at: toMicroseconds(event.at) })) {
      this.#inconsistent(client, `answered ${nameOf(message)} and did not hold it`);
    }
  }

  #ack(event: MessageEvent<"ack">, row: number): void {
    const { client, message } = event;
    if (message !== client) {
      const whose = this.#isPlanned(message) ? `which client ${message} sends` : "which nobody sent";
      return this.findings.add(
        "unexpected",
        () => `${this.#who(client)} got an ok for ${nameOf(message)}, ${whose}`,
      );
    }
    const connection = this.#openConnection(row);
    if (connection === undefined || this.connections.sends.at(connection) === 0) {
      return this.findings.add(
        "unexpected",
        () =>
          `${this.#who(client)} got an ok for ${nameOf(message)} on a connection on which it had not sent it`,
      );
    }
    if (this.connections.count("acks", connection) > this.connections.sends.at(connection)) {
      return this.findings.add(
        "duplicate",
        () => `${this.#who(client)} got more than one ok for ${nameOf(message)}`,
      );
    }
    const { ackedAt } = this.clients.columns;
    if (Number.isNaN(ackedAt[row])) ackedAt[row] = toMicroseconds(event.at);
  }

  #close(event: CloseEvent, row: number): void {
    const connection = this.#openConnection(row);
    if (connection === undefined) {
      return this.#inconsistent(event.client, "has the end of a connection that it had not made");
    }
    const at = toMicroseconds(event.at);
    this.connections.close(connection, { at, reason: event.reason });
    this.deliveries.drop(event.client, at);
    if (event.reason === "natural" || event.reason === "stopped") return;
    this.reasons.add("close", event.detail ?? event.reason);
  }

  /** The ledger as plain data, to be added up by {@linkcode Ledger.absorb} elsewhere. */
  snapshot(): LedgerSnapshot {
    return {
      clients: this.clients.snapshot(),
      connections: this.connections.snapshot(),
      deliveries: this.deliveries.snapshot(),
      findings: this.findings.snapshot(),
      reasons: this.reasons.snapshot(),
      facts: this.facts.snapshot(),
      scenario: this.scenario.snapshot(),
    };
  }

  /** Adds the ledger of a part of the clients, whose events are all in. */
  absorb({ clients, connections, deliveries, findings, reasons, facts, scenario }: LedgerSnapshot): void {
    this.clients.absorb(clients, this.connections.length);
    this.connections.absorb(connections);
    this.deliveries.absorb(deliveries);
    this.findings.absorb(findings);
    this.reasons.absorb(reasons);
    this.facts.absorb(facts);
    this.scenario.absorb(scenario);
  }

  #isPlanned(message: number | string): message is number {
    return typeof message === "number" && message < this.run.clients;
  }

  /** The row of the connection that a client has now. */
  #openConnection(row: number): number | undefined {
    const last = this.clients.columns.lastConnection[row] ?? -1;
    return last >= 0 && this.connections.isOpen(last) ? last : undefined;
  }

  #inconsistent(client: number, what: string): void {
    this.findings.add("inconsistent", () => `${this.#who(client)} ${what}`);
  }

  #who(client: number): string {
    return describeClient(this, client);
  }
}

/** `client 17 (127.0.0.1:40412)`, by its last connection. */
export function describeClient({ clients, connections }: Ledger, client: number): string {
  const last = clients.columns.lastConnection[clients.row(client)] ?? -1;
  return last < 0 ? `client ${client} (never connected)` : `client ${client} (${connections.local(last)})`;
}

function nameOf(message: number | string): string {
  if (typeof message === "number") return `message ${message}`;
  return `message ${JSON.stringify(message.length > 40 ? `${message.slice(0, 40)}…` : message)}`;
}

/** Times are booked as histories write them, so that a judge of either sees the same. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
