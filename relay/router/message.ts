/** A message in flight, linked into the lists that it is in. Pure. @module */
import { copyBytes, Line } from "../../socket/codecs/line.ts";
import type { Routed } from "./router_peer.ts";
import type { IndexEntry } from "./message_index.ts";

/** Index at which the text of a message begins in its line. */
export const TEXT_START = "message ".length;

/** Lines up to this many bytes are in a cell of their message, which it keeps as long as it lives. */
const CELL = 64;
const CELLS = 256;

let slab = new Uint8Array(0);
let cellsLeft = 0;

/**
 * A message of an origin, and its present holder. Without an `origin`, it remembers a former holder that may still settle
 * the text.
 *
 * It is linked into every list that it is in. Separate list nodes or arrays would take twice the memory, with ten thousand
 * messages that live for a moment each.
 */
export class Message<Peer> extends Line implements IndexEntry<Message<Peer>> {
  // The line is as on the wire, where each text has one spelling.
  readonly #slab: Uint8Array;
  readonly #cell: number;
  /** Hash of the text, from `MessageIndex`. */
  hash: number;
  inBucket: Message<Peer> | undefined = undefined;
  /** The peer that sent it, and waits for its ok. */
  origin: Routed<Peer> | undefined;
  /** The peer that it was delivered to. */
  holder: Routed<Peer> | undefined = undefined;
  /** Time in ms at which it goes to another peer. */
  due = 0;
  /** Time at which its origin sent it, in units of a `DurationHistogram`; set only while ack times are measured. */
  sentAt = 0;
  /** Neighbors in the ring of messages with the same text. Most messages are alone. */
  next: Message<Peer> = this;
  previous: Message<Peer> = this;
  /** Neighbors among the messages of its origin. */
  sentAfter: Message<Peer> | undefined = undefined;
  sentBefore: Message<Peer> | undefined = undefined;
  /** Neighbors among the messages of its holder. */
  heldAfter: Message<Peer> | undefined = undefined;
  heldBefore: Message<Peer> | undefined = undefined;
  /** Neighbors in the order of deadlines. */
  later: Message<Peer> | undefined = undefined;
  earlier: Message<Peer> | undefined = undefined;

  /** @param line Copied, unless it is long and another message has it already. */
  constructor(line: Line, hash: number, origin: Routed<Peer> | undefined) {
    super();
    if (cellsLeft === 0) {
      slab = new Uint8Array(CELLS * CELL);
      cellsLeft = CELLS;
    }
    this.#slab = slab;
    this.#cell = --cellsLeft * CELL;
    this.hash = hash;
    this.origin = origin;
    this.setLine(line);
  }

  /** Copies a line, unless it is long and another message has it already: then they share it. */
  setLine(line: Line): void {
    const { length } = line;
    if (length > CELL) {
      this.bytes = line instanceof Message ? line.bytes : line.bytes.slice(line.start, line.end);
      this.start = 0;
      this.end = length;
    } else {
      this.bytes = this.#slab;
      this.start = this.#cell;
      this.end = this.#cell + length;
      copyBytes(line.bytes, line.start, line.end, this.#slab, this.#cell);
    }
  }

  /** Forgets the line. */
  clearLine(): void {
    this.bytes = this.#slab;
    this.start = this.end = this.#cell;
  }

  /** The text that its ok must carry. */
  key(): string {
    return this.text(TEXT_START);
  }

  /** Whether that is the text that begins at byte `start` of a line. */
  isText(line: Line, start: number): boolean {
    return this.endsAs(line, TEXT_START, start);
  }

  /** Inserts this message, which is alone, into a ring. */
  insertBefore(other: Message<Peer>): void {
    this.next = other;
    this.previous = other.previous;
    this.previous.next = other.previous = this;
  }

  /** Leaves the ring. */
  leaveRing(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }
}

const MAX_SPARES = 16_384; // 2 MiB

/**
 * Reuses message objects. In a busy relay each would survive the young generation, and collecting them would take a third
 * of the router's time.
 */
export class MessagePool<Peer> {
  readonly #spares: Message<Peer>[] = [];

  /** Returns a message that is in no list. */
  take(line: Line, hash: number, origin: Routed<Peer> | undefined): Message<Peer> {
    const spare = this.#spares.pop();
    if (spare === undefined) return new Message(line, hash, origin);
    spare.setLine(line);
    spare.hash = hash;
    spare.origin = origin;
    return spare;
  }

  /** Takes back a message that is in no list. */
  giveBack(message: Message<Peer>): void {
    if (this.#spares.length >= MAX_SPARES) return;
    message.clearLine();
    message.origin = undefined;
    this.#spares.push(message);
  }
}
