/** The facts of the clients of a run: their times, connections, and deliveries, and contradictions to them. Pure. @module */
import type { Address } from "../../socket/network.ts";
import type { EndType, GeneratorLimit, MessageName, RunEvent } from "../history/events.ts";
import type { Findings } from "../judge/findings.ts";
import type { ClientRecord } from "./client_record.ts";
import type { ClientTable } from "./client_table.ts";
import type { ConnectionTable } from "./connection_table.ts";
import type { DeliveryTable } from "./delivery_table.ts";
import type { FailureReasons } from "./failure_reasons.ts";

const LIMIT_NAMES: Readonly<Record<GeneratorLimit, string>> = {
  descriptors: "file descriptors (ulimit -n)",
  ports: "local ports (net.ipv4.ip_local_port_range)",
  memory: "memory for sockets",
};

/** The tables that {@linkcode ClientFacts} fills: those of a ledger. */
export interface ClientTables {
  readonly run: RunEvent;
  readonly clients: ClientTable;
  readonly connections: ConnectionTable;
  readonly deliveries: DeliveryTable;
  readonly findings: Findings;
  readonly reasons: FailureReasons;
}

/** Records what clients do. A contradiction to what was recorded before becomes a finding. */
export class ClientFacts implements ClientRecord {
  readonly #tables: ClientTables;
  readonly #clients: ClientTable;
  readonly #connections: ConnectionTable;
  readonly #deliveries: DeliveryTable;

  constructor(tables: ClientTables) {
    this.#tables = tables;
    this.#clients = tables.clients;
    this.#connections = tables.connections;
    this.#deliveries = tables.deliveries;
  }

  planned(client: number, at: number): void {
    const row = this.rowOf(client, "planned");
    if (row < 0) return;
    const { plannedAt } = this.#clients.columns;
    if (!Number.isNaN(plannedAt[row])) return this.#inconsistent(client, "was planned twice");
    plannedAt[row] = toMicroseconds(at);
  }

  started(client: number, at: number, due?: number): void {
    const row = this.rowOf(client, "start");
    if (row < 0) return;
    const { plannedAt, startedAt } = this.#clients.columns;
    if (Number.isNaN(plannedAt[row])) return this.#inconsistent(client, "started, but was not planned");
    if (!Number.isNaN(startedAt[row])) return this.#inconsistent(client, "started twice");
    startedAt[row] = toMicroseconds(at);
    if (due !== undefined) plannedAt[row] = toMicroseconds(due);
  }

  connected(
    client: number,
    at: number,
    took: number,
    local: Address | string,
    remote: Address | string,
  ): void {
    const row = this.rowOf(client, "connect");
    if (row < 0) return;
    const { connects, lastConnection, startedAt } = this.#clients.columns;
    if (Number.isNaN(startedAt[row])) return this.#inconsistent(client, "connected, but had not started");
    if (this.#openConnection(row) >= 0) return this.#inconsistent(client, "connected while it was connected");
    connects[row]!++;
    lastConnection[row] = this.#connections.open(
      client,
      toMicroseconds(at),
      toMicroseconds(took),
      local,
      remote,
    );
  }

  refused(client: number, _at: number, error: string, limit?: GeneratorLimit): void {
    const row = this.rowOf(client, "refused");
    if (row < 0) return;
    const { findings, reasons } = this.#tables;
    this.#clients.columns.refusals[row]!++;
    if (limit !== undefined) {
      findings.add(
        "overloaded",
        () => `${this.#describe(client)} could not connect: its generator is out of ${LIMIT_NAMES[limit]}`,
      );
    }
    reasons.add("refused", error);
  }

  complained(client: number, _at: number, text: string): void {
    if (this.rowOf(client, "error") >= 0) this.#tables.reasons.add("error", text);
  }

  sent(client: number, _at: number): void {
    const row = this.rowOf(client, "send");
    if (row < 0) return;
    const connection = this.#openConnection(row);
    if (connection < 0) return this.#inconsistent(client, "sent its message, but was not connected");
    this.#clients.columns.sends[row]!++;
    this.#connections.count("sends", connection);
  }

  received(client: number, at: number, message: MessageName): void {
    const row = this.rowOf(client, "receive");
    if (row < 0) return;
    if (this.#openConnection(row) < 0) {
      return this.#inconsistent(client, `received ${nameOf(message)}, but was not connected`);
    }
    if (this.#isPlanned(message)) {
      this.#clients.ensureRow(message);
      return this.#deliveries.receive(client, row, message, toMicroseconds(at));
    }
    const { run, findings } = this.#tables;
    if (run.server === "own") {
      findings.add(
        "unexpected",
        () => `${this.#describe(client)} received ${nameOf(message)}, which no client sent`,
      );
    }
  }

  answered(client: number, at: number, message: MessageName): void {
    const row = this.rowOf(client, "answer");
    if (row < 0 || !this.#isPlanned(message)) return; // From another user of the server.
    if (!this.#deliveries.answer(row, message, toMicroseconds(at))) {
      this.#inconsistent(client, `answered ${nameOf(message)}, but did not hold it`);
    }
  }

  acknowledged(client: number, at: number, message: MessageName): void {
    const row = this.rowOf(client, "ack");
    if (row < 0) return;
    const { findings } = this.#tables;
    if (message !== client) {
      const sender = this.#isPlanned(message) ? `which client ${message} sends` : "which no client sent";
      return findings.add(
        "unexpected",
        () => `${this.#describe(client)} got an ok for ${nameOf(message)}, ${sender}`,
      );
    }
    const connection = this.#openConnection(row);
    if (connection < 0 || this.#connections.sends.at(connection) === 0) {
      return findings.add(
        "unexpected",
        () =>
          `${this.#describe(client)} got an ok for ${
            nameOf(message)
          } on a connection on which it had not sent it`,
      );
    }
    if (this.#connections.count("acks", connection) > this.#connections.sends.at(connection)) {
      return findings.add(
        "duplicate",
        () => `${this.#describe(client)} got more than one ok for ${nameOf(message)}`,
      );
    }
    const { ackedAt } = this.#clients.columns;
    if (Number.isNaN(ackedAt[row])) ackedAt[row] = toMicroseconds(at);
  }

  closed(client: number, at: number, reason: EndType, detail?: string): void {
    const row = this.rowOf(client, "close");
    if (row < 0) return;
    const connection = this.#openConnection(row);
    if (connection < 0) {
      return this.#inconsistent(client, "closed a connection that it had not made");
    }
    const rounded = toMicroseconds(at);
    this.#connections.close(connection, rounded, reason);
    this.#deliveries.drop(row, rounded);
    if (reason === "natural" || reason === "stopped") return;
    this.#tables.reasons.add("close", detail ?? reason);
  }

  /**
   * Returns the row of a client, or -1 after a finding if it is not in the plan.
   *
   * @param event The event, for the finding.
   */
  rowOf(client: number, event: string): number {
    const row = this.#clients.ensureRow(client);
    if (row < 0) this.#inconsistent(client, `has the event "${event}", but is not in this plan`);
    return row;
  }

  #isPlanned(message: MessageName): message is number {
    return typeof message === "number" && message < this.#tables.run.clients;
  }

  /** Returns the row of the open connection of a client, or -1. */
  #openConnection(row: number): number {
    const last = this.#clients.columns.lastConnection[row]!;
    return last >= 0 && this.#connections.isOpen(last) ? last : -1;
  }

  #inconsistent(client: number, contradiction: string): void {
    this.#tables.findings.add("inconsistent", () => `${this.#describe(client)} ${contradiction}`);
  }

  #describe(client: number): string {
    return describeClient(this.#tables, client);
  }
}

/** Describes a client by its last connection: `client 17 (127.0.0.1:40412)`. */
export function describeClient(
  { clients, connections }: Pick<ClientTables, "clients" | "connections">,
  client: number,
): string {
  const last = clients.columns.lastConnection[clients.row(client)] ?? -1;
  return last < 0 ? `client ${client} (never connected)` : `client ${client} (${connections.local(last)})`;
}

function nameOf(message: MessageName): string {
  if (typeof message === "number") return `message ${message}`;
  return `message ${JSON.stringify(message.length > 40 ? `${message.slice(0, 40)}…` : message)}`;
}

/** Rounds as histories do, so that the judge sees the same times in both. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
