/** Which messages are under way, from whom and with whom, found from either side. Pure. @module */
import type { PeerState } from "./peers.ts";
import type { IndexEntry } from "./message_index.ts";

/** Where the text of a message begins in its line. */
export const TEXT_START = "message ".length;

/**
 * One sending of a message, and who has it now; or, without an `origin`, that a peer had it and may still settle it.
 *
 * One object a message, linked into every list it is in: nearly every message has one sending, and lives for a moment while
 * ten thousand others do. Objects of their own for the lists, or arrays, would cost twice the memory.
 */
export class Message<Peer> implements IndexEntry {
  /** The message, as on the wire: each text has one spelling. */
  line: string;
  hash: number;
  /** Who sent it, and waits for its ok. */
  origin: PeerState<Peer> | undefined;
  holder: PeerState<Peer> | undefined = undefined;
  /** When it goes to another, ms. */
  due = 0;
  /** When its origin sent it, in units of a `DurationHistogram`; kept only while ack times are measured. */
  sentAt = 0;
  /** Its neighbours in the ring of all deliveries of the same text; most are alone. */
  next: Message<Peer> = this;
  previous: Message<Peer> = this;
  /** Its neighbours among what its origin has sent, */
  sentAfter: Message<Peer> | undefined = undefined;
  sentBefore: Message<Peer> | undefined = undefined;
  /** among what its holder has, */
  heldAfter: Message<Peer> | undefined = undefined;
  heldBefore: Message<Peer> | undefined = undefined;
  /** and among all that are due. */
  later: Message<Peer> | undefined = undefined;
  earlier: Message<Peer> | undefined = undefined;

  constructor(line: string, hash: number, origin: PeerState<Peer> | undefined) {
    this.line = line;
    this.hash = hash;
    this.origin = origin;
  }

  /** What its ok must carry. Cut out anew each time, which costs less than to keep it. */
  get text(): string {
    return this.line.slice(TEXT_START);
  }

  /** Puts it, alone so far, into a ring. */
  insertBefore(other: Message<Peer>): void {
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
export class MessagePool<Peer> {
  readonly #spares: Message<Peer>[] = [];

  /** One that is in no list. */
  take(line: string, hash: number, origin: PeerState<Peer> | undefined): Message<Peer> {
    const spare = this.#spares.pop();
    if (spare === undefined) return new Message(line, hash, origin);
    spare.line = line;
    spare.hash = hash;
    spare.origin = origin;
    return spare;
  }

  /** Takes back one that is out of every list. */
  giveBack(delivery: Message<Peer>): void {
    if (this.#spares.length >= MAX_SPARES) return;
    delivery.line = "";
    delivery.origin = undefined;
    this.#spares.push(delivery);
  }
}
