/** The messages without an ok: found by text, by sender, by holder, and by deadline. Pure. @module */
import { Line } from "../../socket/codecs/line.ts";
import { DeadlineList } from "./deadline_list.ts";
import { type Message, MessagePool, TEXT_START } from "./message.ts";
import { MessageIndex } from "./message_index.ts";
import type { Routed } from "./router_peer.ts";
import type { Sink } from "./types.ts";

/** Between nodes: the message is settled, or needs no ok anymore. */
export const DROP = "drop ";

/** Options for {@linkcode MessageStore}. */
export interface MessageStoreOptions<Peer> {
  /** Integer of 32 bits that makes hashes unpredictable. */
  readonly hashSeed: number;
  /** Time in ms after which a message is due for redelivery, or `undefined` for never. */
  readonly timeout: number | undefined;
  /** Called for each removed message with its origin, after the removal. */
  readonly onRemoved: (origin: Routed<Peer>) => void;
}

/**
 * All pending messages. Messages with the same text form a ring: those with an origin come first, then those that only
 * remember a former holder, which may still settle the text.
 */
export class MessageStore<Peer> {
  /** The first message of each ring. */
  readonly #rings: MessageIndex<Message<Peer>>;
  readonly #due = new DeadlineList<Message<Peer>>();
  readonly #pool = new MessagePool<Peer>();
  readonly #timeout: number | undefined;
  readonly #onRemoved: (origin: Routed<Peer>) => void;

  constructor(options: MessageStoreOptions<Peer>) {
    this.#rings = new MessageIndex(options.hashSeed);
    this.#timeout = options.timeout;
    this.#onRemoved = options.onRemoved;
  }

  /** Number of different texts. */
  get size(): number {
    return this.#rings.size;
  }

  /** Number of messages with a deadline. */
  get due(): number {
    return this.#due.size;
  }

  /** The message with the earliest deadline. */
  get firstDue(): Message<Peer> | undefined {
    return this.#due.first;
  }

  /** Adds a message line of an origin, without a holder. */
  add(origin: Routed<Peer>, line: Line): Message<Peer> {
    const hash = this.#rings.hash(line, TEXT_START);
    const first = this.#rings.get(line, TEXT_START, hash);
    const message = this.#pool.take(first ?? line, hash, origin);
    if (first === undefined) this.#rings.add(message);
    else message.insertBefore(first.next);
    origin.addSent(message);
    return message;
  }

  /** Returns the first message of the ring whose text begins at `start` of a line. */
  first(line: Line, start: number): Message<Peer> | undefined {
    return this.#rings.get(line, start, this.#rings.hash(line, start));
  }

  /** Returns the whole ring of a text, as it is now. */
  ring(line: Line, start: number): Message<Peer>[] {
    const first = this.first(line, start);
    if (first === undefined) return [];
    const ring = [first];
    for (let message = first.next; message !== first; message = message.next) ring.push(message);
    return ring;
  }

  /** Returns the first message of a text's ring, if the peer holds the text. */
  firstHeld(holder: Routed<Peer>, line: Line, start: number): Message<Peer> | undefined {
    const { held } = holder;
    // Usually it is the text that the peer has held for longest, alone in its ring. Comparing is cheaper than a lookup.
    if (held !== undefined && held.next === held && held.isText(line, start)) return held;
    const first = this.first(line, start);
    return first !== undefined && holder.holds(first) ? first : undefined;
  }

  /** Makes a peer the holder of a message without a holder. */
  assign(message: Message<Peer>, holder: Routed<Peer>, now: number): void {
    holder.addHeld(message);
    if (!this.#isTimed(message)) return;
    // An integer, because V8 allocates an object for a fraction.
    message.due = Math.ceil(now + this.#timeout!);
    this.#due.append(message);
  }

  /** Makes another peer the holder of a message whose former holder was removed. */
  reassign(message: Message<Peer>, holder: Routed<Peer>, now: number): void {
    if (this.#isTimed(message)) this.#due.remove(message);
    this.assign(message, holder, now);
  }

  /** Remembers a former holder of a message, which may settle its text as long as that is pending. */
  remember(message: Message<Peer>, holder: Routed<Peer>): void {
    if (holder.holds(message)) return;
    const former = this.#pool.take(message, message.hash, undefined);
    former.insertBefore(this.#firstOf(message));
    holder.addHeld(former);
  }

  /** Removes a message that its origin does not wait for anymore. Returns whether its text was dropped with it. */
  withdraw(message: Message<Peer>, out: Sink<Peer>): boolean {
    const first = this.#firstOf(message);
    const other = first === message ? message.next : first;
    if (other === message || other.origin === undefined) {
      this.drop(message, out);
      return true;
    }
    if (first === message) this.#rings.replace(first, other);
    const { holder } = message;
    this.remove(message, undefined);
    if (holder !== undefined) this.remember(other, holder);
    return false;
  }

  /** Removes a whole ring. Nodes that hold its text are notified, except for the one that settled it. */
  drop(first: Message<Peer>, out: Sink<Peer>, settler?: Routed<Peer>): void {
    this.#rings.delete(first);
    for (let other = first.next; other !== first; other = first.next) this.remove(other, out, settler);
    this.remove(first, out, settler);
  }

  /** Removes a message from every list but the index. A node that holds it is notified, if there is an `out`. */
  remove(message: Message<Peer>, out: Sink<Peer> | undefined, settler?: Routed<Peer>): void {
    const { origin, holder } = message;
    if (holder?.isNode && holder !== settler) out?.(holder, Line.of(DROP + message.key()));
    message.leaveRing();
    holder?.removeHeld(message);
    if (origin !== undefined) {
      if (this.#isTimed(message)) this.#due.remove(message);
      origin.removeSent(message);
      this.#onRemoved(origin);
    }
    this.#pool.giveBack(message);
  }

  /** The node that a message came from watches over its time. */
  #isTimed(message: Message<Peer>): boolean {
    return this.#timeout !== undefined && !message.origin!.isNode;
  }

  #firstOf(message: Message<Peer>): Message<Peer> {
    return this.#rings.get(message, TEXT_START, message.hash)!;
  }
}
