/**
 * The record of a load test: takes events, and keeps the fate of every message and every connection. Each process has a
 * ledger of its own clients; they are merged at the end. Pure, and in typed arrays, because a run may have a million
 * messages.
 *
 * @module
 */
import { type ClientSlice, ClientTable, type ClientTableSnapshot } from "./client_table.ts";
import { ConnectionTable, type ConnectionTableSnapshot } from "./connection_table.ts";
import { DeliveryTable, type DeliveryTableSnapshot } from "./delivery_table.ts";
import { Findings, type FindingsSnapshot } from "../judge/findings.ts";
import type {
  CloseEvent,
  ConnectEvent,
  GeneratorLimit,
  HistoryEvent,
  MessageEvent,
  RunEvent,
} from "../history/events.ts";
import { ScenarioTable, type ScenarioTableSnapshot } from "../scenario/scenario_table.ts";
import { FailureReasons, type FailureReasonsSnapshot } from "./failure_reasons.ts";
import { RunFacts, type RunFactsSnapshot } from "./run_facts.ts";

const LIMIT_NAMES: Readonly<Record<GeneratorLimit, string>> = {
  descriptors: "file descriptors (ulimit -n)",
  ports: "local ports (net.ipv4.ip_local_port_range)",
  memory: "memory for sockets",
};

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
 * Records events.
 *
 * The events of one client must come in order; those of different clients may be interleaved.
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
 * ledger.record({ event: "ack", client: 0, at: 6, message: 0 }); // It was never sent.
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
  /** Records of scenario sessions; empty for other protocols. */
  readonly scenario: ScenarioTable;

  /**
   * @param run The event that begins the history
   * @param slice The clients of this ledger. Default: all
   */
  constructor(run: RunEvent, slice: Omit<ClientSlice, "clients"> = {}) {
    this.run = run;
    this.scenario = new ScenarioTable({ findings: this.findings, ordered: run.ordered ?? true });
    this.clients = new ClientTable({ ...slice, clients: run.clients });
  }

  /** Records one event. A contradiction to earlier events becomes a finding. */
  record(event: HistoryEvent): void {
    switch (event.event) {
      case "run":
        if (event !== this.run) this.findings.add("inconsistent", () => "The run started twice");
        return;
      case "server":
      case "stop":
      case "generator":
      case "agent":
      case "died":
      case "killed":
      case "pace":
      case "fault":
      case "accepted":
      case "ended":
        return this.facts.record(event);
      case "shape":
        return this.scenario.recordShape(event);
      case "threw":
        return this.findings.add("scenario", () => `In the scenario, ${event.detail}`);
      case "verdict":
        return; // A conclusion, not a fact.
      default:
        this.#recordClient(event);
    }
  }

  #recordClient(event: Extract<HistoryEvent, { client: number }>): void {
    const row = this.clients.ensureRow(event.client);
    if (row < 0) {
      return this.#inconsistent(event.client, `has the event "${event.event}", but is not in this plan`);
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
          return this.#inconsistent(event.client, "started, but was not planned");
        }
        if (!Number.isNaN(startedAt[row])) return this.#inconsistent(event.client, "started twice");
        startedAt[row] = at;
        if (event.due !== undefined) plannedAt[row] = toMicroseconds(event.due);
        return;
      case "refused":
        refusals[row] = (refusals[row] ?? 0) + 1;
        if (event.limit !== undefined) this.#outOf(event.limit, event.client);
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
        return this.scenario.record(event, () => this.#describe(event.client));
    }
  }

  #outOf(limit: GeneratorLimit, client: number): void {
    this.findings.add(
      "overloaded",
      () => `${this.#describe(client)} could not connect: its generator is out of ${LIMIT_NAMES[limit]}`,
    );
  }

  #connect(event: ConnectEvent, row: number): void {
    const { client, took, local, remote } = event;
    const { connects, lastConnection, startedAt } = this.clients.columns;
    if (Number.isNaN(startedAt[row])) return this.#inconsistent(client, "connected, but had not started");
    if (this.#openConnection(row) !== undefined) {
      return this.#inconsistent(client, "connected while it was connected");
    }
    connects[row] = (connects[row] ?? 0) + 1;
    const at = toMicroseconds(event.at);
    lastConnection[row] = this.connections.open({ client, at, took: toMicroseconds(took), local, remote });
  }

  #send(client: number, row: number): void {
    const connection = this.#openConnection(row);
    if (connection === undefined) {
      return this.#inconsistent(client, "sent its message, but was not connected");
    }
    const { sends } = this.clients.columns;
    sends[row] = (sends[row] ?? 0) + 1;
    this.connections.count("sends", connection);
  }

  #receive(event: MessageEvent<"receive">, row: number): void {
    const { client, message } = event;
    if (this.#openConnection(row) === undefined) {
      return this.#inconsistent(client, `received ${nameOf(message)}, but was not connected`);
    }
    if (this.#isPlanned(message)) {
      this.clients.ensureRow(message);
      return this.deliveries.receive(client, { message, at: toMicroseconds(event.at) });
    }
    if (this.run.server === "own") {
      this.findings.add(
        "unexpected",
        () => `${this.#describe(client)} received ${nameOf(message)}, which no client sent`,
      );
    }
  }

  #answer(event: MessageEvent<"answer">): void {
    const { client, message } = event;
    if (!this.#isPlanned(message)) return; // From another user of the server.
    if (!this.deliveries.answer(client, { message, at: toMicroseconds(event.at) })) {
      this.#inconsistent(client, `answered ${nameOf(message)}, but did not hold it`);
    }
  }

  #ack(event: MessageEvent<"ack">, row: number): void {
    const { client, message } = event;
    if (message !== client) {
      const sender = this.#isPlanned(message) ? `which client ${message} sends` : "which no client sent";
      return this.findings.add(
        "unexpected",
        () => `${this.#describe(client)} got an ok for ${nameOf(message)}, ${sender}`,
      );
    }
    const connection = this.#openConnection(row);
    if (connection === undefined || this.connections.sends.at(connection) === 0) {
      return this.findings.add(
        "unexpected",
        () =>
          `${this.#describe(client)} got an ok for ${
            nameOf(message)
          } on a connection on which it had not sent it`,
      );
    }
    if (this.connections.count("acks", connection) > this.connections.sends.at(connection)) {
      return this.findings.add(
        "duplicate",
        () => `${this.#describe(client)} got more than one ok for ${nameOf(message)}`,
      );
    }
    const { ackedAt } = this.clients.columns;
    if (Number.isNaN(ackedAt[row])) ackedAt[row] = toMicroseconds(event.at);
  }

  #close(event: CloseEvent, row: number): void {
    const connection = this.#openConnection(row);
    if (connection === undefined) {
      return this.#inconsistent(event.client, "closed a connection that it had not made");
    }
    const at = toMicroseconds(event.at);
    this.connections.close(connection, { at, reason: event.reason });
    this.deliveries.drop(event.client, at);
    if (event.reason === "natural" || event.reason === "stopped") return;
    this.reasons.add("close", event.detail ?? event.reason);
  }

  /** Returns the ledger as plain data, for {@linkcode Ledger.absorb} in another process. */
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

  /** Adds the complete ledger of a part of the clients. */
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

  /** Returns the row of the open connection of a client. */
  #openConnection(row: number): number | undefined {
    const last = this.clients.columns.lastConnection[row] ?? -1;
    return last >= 0 && this.connections.isOpen(last) ? last : undefined;
  }

  #inconsistent(client: number, contradiction: string): void {
    this.findings.add("inconsistent", () => `${this.#describe(client)} ${contradiction}`);
  }

  #describe(client: number): string {
    return describeClient(this, client);
  }
}

/** Describes a client by its last connection: `client 17 (127.0.0.1:40412)`. */
export function describeClient({ clients, connections }: Ledger, client: number): string {
  const last = clients.columns.lastConnection[clients.row(client)] ?? -1;
  return last < 0 ? `client ${client} (never connected)` : `client ${client} (${connections.local(last)})`;
}

function nameOf(message: number | string): string {
  if (typeof message === "number") return `message ${message}`;
  return `message ${JSON.stringify(message.length > 40 ? `${message.slice(0, 40)}…` : message)}`;
}

/** Rounds as histories do, so that the judge sees the same times in both. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
