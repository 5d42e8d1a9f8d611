/** A client record that makes the events of a history. @module */
import { type Address, formatAddress } from "../../socket/network.ts";
import {
  type EndType,
  type GeneratorLimit,
  type HistoryEvent,
  type MessageName,
  plannedEvent,
} from "../history/events.ts";
import type { ClientRecord } from "../ledger/client_record.ts";

/** Makes an event of each call. */
export class EventRecord implements ClientRecord {
  readonly #record: (event: HistoryEvent) => void;
  readonly #textOf: (client: number) => string;

  /**
   * @param record Receives the events.
   * @param textOf Returns the message of a client.
   */
  constructor(record: (event: HistoryEvent) => void, textOf: (client: number) => string) {
    this.#record = record;
    this.#textOf = textOf;
  }

  planned(client: number, at: number): void {
    this.#record(plannedEvent({ index: client, startAt: at, text: this.#textOf(client) }));
  }

  started(client: number, at: number, due?: number): void {
    this.#record({ event: "start", client, at, ...(due === undefined ? {} : { due }) });
  }

  connected(
    client: number,
    at: number,
    took: number,
    local: Address | string,
    remote: Address | string,
  ): void {
    this.#record({ event: "connect", client, at, took, local: textOf(local), remote: textOf(remote) });
  }

  refused(client: number, at: number, error: string, limit?: GeneratorLimit): void {
    this.#record({ event: "refused", client, at, error, ...(limit === undefined ? {} : { limit }) });
  }

  complained(client: number, at: number, text: string): void {
    this.#record({ event: "error", client, at, text });
  }

  sent(client: number, at: number): void {
    this.#record({ event: "send", client, at });
  }

  received(client: number, at: number, message: MessageName): void {
    this.#record({ event: "receive", client, at, message });
  }

  answered(client: number, at: number, message: MessageName): void {
    this.#record({ event: "answer", client, at, message });
  }

  acknowledged(client: number, at: number, message: MessageName): void {
    this.#record({ event: "ack", client, at, message });
  }

  closed(client: number, at: number, reason: EndType, detail?: string): void {
    this.#record({ event: "close", client, at, reason, ...(detail === undefined ? {} : { detail }) });
  }
}

function textOf(address: Address | string): string {
  return typeof address === "string" ? address : formatAddress(address);
}
