/** Every delivery of a planned message to a client: how long it was held, and whether it was answered. Pure. @module */
import { Column } from "./typed_column.ts";

const HELD = 0;
const ANSWERED = 1;
/** The holder's connection ended first. */
const DROPPED = 2;

/** {@linkcode DeliveryTable} as plain data. */
export interface DeliveryTableSnapshot {
  readonly message: Int32Array<ArrayBuffer>;
  readonly client: Int32Array<ArrayBuffer>;
  readonly receivedAt: Float64Array<ArrayBuffer>;
  readonly endedAt: Float64Array<ArrayBuffer>;
  readonly outcome: Uint8Array<ArrayBuffer>;
}

/** Deliveries by row, in the order of their records. */
export class DeliveryTable {
  /** The index of the message, and of the client that received it. */
  readonly message: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  readonly client: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  readonly receivedAt: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  /** When it was answered or dropped; NaN while it is held. */
  readonly endedAt: Column<Float64Array<ArrayBuffer>> = new Column((n) => new Float64Array(n));
  readonly #outcome: Column<Uint8Array<ArrayBuffer>> = new Column((n) => new Uint8Array(n));
  /** The rows that each client holds now. Ended ones are removed, so its size follows what is open. */
  readonly #held = new Map<number, number[]>();

  get length(): number {
    return this.message.length;
  }

  receive(client: number, { message, at }: { message: number; at: number }): void {
    const row = this.length;
    this.message.push(message);
    this.client.push(client);
    this.receivedAt.push(at);
    this.endedAt.push(NaN);
    this.#outcome.push(HELD);
    const rows = this.#held.get(client);
    if (rows) rows.push(row);
    else this.#held.set(client, [row]);
  }

  /** Records an answer. Returns `false` if the client does not hold the message. */
  answer(client: number, { message, at }: { message: number; at: number }): boolean {
    const rows = this.#held.get(client) ?? [];
    const place = rows.findIndex((row) => this.message.at(row) === message);
    const [row] = place < 0 ? [] : rows.splice(place, 1);
    if (row === undefined) return false;
    if (rows.length === 0) this.#held.delete(client);
    this.#end(row, ANSWERED, at);
    return true;
  }

  /** Records that a client no longer holds anything. */
  drop(client: number, at: number): void {
    for (const row of this.#held.get(client) ?? []) this.#end(row, DROPPED, at);
    this.#held.delete(client);
  }

  isAnswered(row: number): boolean {
    return this.#outcome.at(row) === ANSWERED;
  }

  snapshot(): DeliveryTableSnapshot {
    return {
      message: this.message.toArray(),
      client: this.client.toArray(),
      receivedAt: this.receivedAt.toArray(),
      endedAt: this.endedAt.toArray(),
      outcome: this.#outcome.toArray(),
    };
  }

  /** Appends the ended deliveries of another table. */
  absorb(other: DeliveryTableSnapshot): void {
    this.message.append(other.message);
    this.client.append(other.client);
    this.receivedAt.append(other.receivedAt);
    this.endedAt.append(other.endedAt);
    this.#outcome.append(other.outcome);
  }

  #end(row: number, outcome: number, at: number): void {
    this.endedAt.set(row, at);
    this.#outcome.set(row, outcome);
  }
}
