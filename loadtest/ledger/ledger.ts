/**
 * The record of a load test: takes events, and keeps the fate of every message and every connection. Each process has a
 * ledger of its own clients; they are merged at the end. Pure, and in typed arrays, because a run may have a million
 * messages.
 *
 * @module
 */
import { ClientFacts, describeClient } from "./client_facts.ts";
import { type ClientSlice, ClientTable, type ClientTableSnapshot } from "./client_table.ts";
import { ConnectionTable, type ConnectionTableSnapshot } from "./connection_table.ts";
import { DeliveryTable, type DeliveryTableSnapshot } from "./delivery_table.ts";
import { Findings, type FindingsSnapshot } from "../judge/findings.ts";
import type { HistoryEvent, RunEvent } from "../history/events.ts";
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

/** Options for {@linkcode Ledger}: the clients that it records, by default all, and what it describes. */
export interface LedgerOptions extends Omit<ClientSlice, "clients"> {
  /** Findings of a kind that are described. Default 20; `Infinity` describes all. */
  readonly described?: number | undefined;
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
  readonly findings: Findings;
  readonly reasons: FailureReasons = new FailureReasons();
  readonly facts: RunFacts = new RunFacts();
  /** Records of scenario sessions; empty for other protocols. */
  readonly scenario: ScenarioTable;
  /** Records what clients do, as `record` does with their events. */
  readonly clientFacts: ClientFacts;

  /** @param run The event that begins the history */
  constructor(run: RunEvent, { described, ...slice }: LedgerOptions = {}) {
    this.run = run;
    this.findings = new Findings(described);
    this.scenario = new ScenarioTable({ findings: this.findings, ordered: run.ordered ?? true });
    this.clients = new ClientTable({ ...slice, clients: run.clients });
    this.clientFacts = new ClientFacts(this);
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
    const { client, at } = event;
    switch (event.event) {
      case "planned":
        return this.clientFacts.planned(client, at);
      case "start":
        return this.clientFacts.started(client, at, event.due);
      case "refused":
        return this.clientFacts.refused(client, at, event.error, event.limit);
      case "error":
        return this.clientFacts.complained(client, at, event.text);
      case "connect":
        return this.clientFacts.connected(client, at, event.took, event.local, event.remote);
      case "send":
        return this.clientFacts.sent(client, at);
      case "receive":
        return this.clientFacts.received(client, at, event.message);
      case "answer":
        return this.clientFacts.answered(client, at, event.message);
      case "ack":
        return this.clientFacts.acknowledged(client, at, event.message);
      case "close":
        return this.clientFacts.closed(client, at, event.reason, event.detail);
      case "ask":
      case "frame":
      case "push":
      case "check":
      case "metric":
      case "session":
        if (this.clientFacts.rowOf(client, event.event) < 0) return;
        return this.scenario.record(event, () => describeClient(this, client));
    }
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
}
