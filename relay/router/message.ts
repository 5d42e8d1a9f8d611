/** Which messages are under way, from whom and with whom, found from either side. Pure. @module */
import type { Seat } from "./peers.ts";
import type { TextEntry } from "./message_index.ts";

/** Where the text of a message begins in its line. */
export const TEXT_START = "message ".length;

/**
 * One sending of a message, and who has it now; or, without an `origin`, that a peer had it and may still settle it.
 *
 * One object a message, linked into every list it is in: nearly every message has one sending, and lives for a moment while
 * ten thousand others do. Objects of their own for the lists, or arrays, would cost twice the memory.
 */
export class Delivery<Peer> implements TextEntry {
  /** The message, as on the wire: each text has one spelling. */
  line: string;
  hash: number;
  /** Who sent it, and waits for its ok. */
  origin: Seat<Peer> | undefined;
  holder: Seat<Peer> | undefined = undefined;
  /** When it goes to another, ms. */
  due = 0;
  /** Its neighbours in the ring of all deliveries of the same text; most are alone. */
  next: Delivery<Peer> = this;
  previous: Delivery<Peer> = this;
  /** Its neighbours among what its origin has sent, */
  sentAfter: Delivery<Peer> | undefined = undefined;
  sentBefore: Delivery<Peer> | undefined = undefined;
  /** among what its holder has, */
  heldAfter: Delivery<Peer> | undefined = undefined;
  heldBefore: Delivery<Peer> | undefined = undefined;
  /** and among all that are due. */
  later: Delivery<Peer> | undefined = undefined;
  earlier: Delivery<Peer> | undefined = undefined;

  constructor(line: string, hash: number, origin: Seat<Peer> | undefined) {
    this.line = line;
    this.hash = hash;
    this.origin = origin;
  }

  /** What its ok must carry. Cut out anew each time, which costs less than to keep it. */
  get text(): string {
    return this.line.slice(TEXT_START);
  }

  /** Puts it, alone so far, into a ring. */
  insertBefore(other: Delivery<Peer>): void {
    this.next = other;
    this.previous = other.previous;
    this.previous.next = other.previous = this;
  }

  /** Takes it out of its ring. */
  leaveRing(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }
}

const MAX_SPARES = 16_384; // 2 MiB

/**
 * Makes deliveries, of those that are over where there are any. In a busy relay each would outlive its youth, and to collect
 * them would take a third of the router's time.
 */
export class DeliveryPool<Peer> {
  readonly #spares: Delivery<Peer>[] = [];

  /** One that is in no list. */
  take(line: string, hash: number, origin: Seat<Peer> | undefined): Delivery<Peer> {
    const spare = this.#spares.pop();
    if (spare === undefined) return new Delivery(line, hash, origin);
    spare.line = line;
    spare.hash = hash;
    spare.origin = origin;
    return spare;
  }

  /** Takes back one that is out of every list. */
  giveBack(delivery: Delivery<Peer>): void {
    if (this.#spares.length >= MAX_SPARES) return;
    delivery.line = "";
    delivery.origin = undefined;
    this.#spares.push(delivery);
  }
}
