/** Every connection of the clients: its client, addresses, times, and end. Pure. @module */
import type { Address } from "../../socket/network.ts";
import { AddressColumn, type AddressColumnSnapshot } from "./address_column.ts";
import { Column } from "./typed_column.ts";
import { END_TYPES, type EndType } from "../history/events.ts";

const OPEN = 255;
const NATURAL = END_TYPES.indexOf("natural");

/** {@linkcode ConnectionTable} as plain data. */
export interface ConnectionTableSnapshot {
  readonly client: Int32Array<ArrayBuffer>;
  readonly openedAt: Float64Array<ArrayBuffer>;
  readonly closedAt: Float64Array<ArrayBuffer>;
  readonly took: Float64Array<ArrayBuffer>;
  readonly reason: Uint8Array<ArrayBuffer>;
  readonly sends: Uint8Array<ArrayBuffer>;
  readonly acks: Uint8Array<ArrayBuffer>;
  readonly local: AddressColumnSnapshot;
  readonly remote: AddressColumnSnapshot;
}

/** Connections by row, in the order in which they were made. */
export class ConnectionTable {
  readonly client: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  readonly openedAt: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  /** NaN while it is open. */
  readonly closedAt: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  /** Duration of connecting, in ms. */
  readonly took: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  /** Number of sends and oks of the client's message on it, up to 255. */
  readonly sends: Column<Uint8Array<ArrayBuffer>> = new Column((n) => new Uint8Array(n));
  readonly acks: Column<Uint8Array<ArrayBuffer>> = new Column((n) => new Uint8Array(n));
  readonly #reason: Column<Uint8Array<ArrayBuffer>> = new Column((n) => new Uint8Array(n));
  readonly #local = new AddressColumn();
  readonly #remote = new AddressColumn();

  get length(): number {
    return this.client.length;
  }

  /**
   * Records a new connection and returns its row.
   *
   * @param at When it was open.
   * @param took Duration of connecting, in ms.
   */
  open(client: number, at: number, took: number, local: Address | string, remote: Address | string): number {
    this.client.push(client);
    this.openedAt.push(at);
    this.closedAt.push(NaN);
    this.took.push(took);
    this.#reason.push(OPEN);
    this.sends.push(0);
    this.acks.push(0);
    this.#local.push(local);
    this.#remote.push(remote);
    return this.length - 1;
  }

  isOpen(row: number): boolean {
    return this.#reason.at(row) === OPEN;
  }

  close(row: number, at: number, reason: EndType): void {
    this.closedAt.set(row, at);
    this.#reason.set(row, reason === "natural" ? NATURAL : END_TYPES.indexOf(reason));
  }

  /** Returns how it ended, or `undefined` while it is open. */
  reason(row: number): EndType | undefined {
    return END_TYPES[this.#reason.at(row)];
  }

  /** The client's address. */
  local(row: number): string {
    return this.#local.at(row) ?? "unknown";
  }

  /** The server's address. */
  remote(row: number): string {
    return this.#remote.at(row) ?? "unknown";
  }

  /** Increments a counter, up to 255, and returns it. */
  count(column: "sends" | "acks", row: number): number {
    const count = Math.min(255, this[column].at(row) + 1);
    this[column].set(row, count);
    return count;
  }

  snapshot(): ConnectionTableSnapshot {
    return {
      client: this.client.toArray(),
      openedAt: this.openedAt.toArray(),
      closedAt: this.closedAt.toArray(),
      took: this.took.toArray(),
      reason: this.#reason.toArray(),
      sends: this.sends.toArray(),
      acks: this.acks.toArray(),
      local: this.#local.snapshot(),
      remote: this.#remote.snapshot(),
    };
  }

  /** Appends the connections of another table. */
  absorb(other: ConnectionTableSnapshot): void {
    this.client.append(other.client);
    this.openedAt.append(other.openedAt);
    this.closedAt.append(other.closedAt);
    this.took.append(other.took);
    this.#reason.append(other.reason);
    this.sends.append(other.sends);
    this.acks.append(other.acks);
    this.#local.absorb(other.local);
    this.#remote.absorb(other.remote);
  }
}
