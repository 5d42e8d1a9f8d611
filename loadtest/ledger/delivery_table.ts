/** Every delivery of a planned message to a client: how long it was held, and whether it was answered. Pure. @module */
import { Column } from "./typed_column.ts";

const HELD = 0;
const ANSWERED = 1;
/** The holder's connection ended first. */
const DROPPED = 2;
const NONE = -1;

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
  /** By the row of a client: the first and the last delivery that it holds now. */
  readonly #firstHeld: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  readonly #lastHeld: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));
  /** The delivery that its client received after it, and holds as well. */
  readonly #nextHeld: Column<Int32Array<ArrayBuffer>> = new Column((n) => new Int32Array(n));

  get length(): number {
    return this.message.length;
  }

  /** Records that a client, which has a row in its table, received a message. */
  receive(client: number, clientRow: number, message: number, at: number): void {
    const row = this.length;
    this.message.push(message);
    this.client.push(client);
    this.receivedAt.push(at);
    this.endedAt.push(NaN);
    this.#outcome.push(HELD);
    this.#nextHeld.push(NONE);
    for (let rows = this.#firstHeld.length; rows <= clientRow; rows++) {
      this.#firstHeld.push(NONE);
      this.#lastHeld.push(NONE);
    }
    if (this.#firstHeld.at(clientRow) === NONE) this.#firstHeld.set(clientRow, row);
    else this.#nextHeld.set(this.#lastHeld.at(clientRow), row);
    this.#lastHeld.set(clientRow, row);
  }

  /** Records an answer. Returns `false` if the client does not hold the message. */
  answer(clientRow: number, message: number, at: number): boolean {
    let before = NONE;
    for (let row = this.#first(clientRow); row !== NONE; before = row, row = this.#nextHeld.at(row)) {
      if (this.message.at(row) !== message) continue;
      const next = this.#nextHeld.at(row);
      if (before === NONE) this.#firstHeld.set(clientRow, next);
      else this.#nextHeld.set(before, next);
      if (next === NONE) this.#lastHeld.set(clientRow, before);
      this.#end(row, ANSWERED, at);
      return true;
    }
    return false;
  }

  /** Records that a client no longer holds anything. */
  drop(clientRow: number, at: number): void {
    const first = this.#first(clientRow);
    if (first === NONE) return;
    for (let row = first; row !== NONE; row = this.#nextHeld.at(row)) this.#end(row, DROPPED, at);
    this.#firstHeld.set(clientRow, NONE);
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
    this.#nextHeld.append(new Int32Array(other.message.length).fill(NONE));
  }

  /** The first delivery that a client holds. */
  #first(clientRow: number): number {
    return clientRow < this.#firstHeld.length ? this.#firstHeld.at(clientRow) : NONE;
  }

  #end(row: number, outcome: number, at: number): void {
    this.endedAt.set(row, at);
    this.#outcome.set(row, outcome);
  }
}
