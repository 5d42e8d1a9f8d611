/** Who gets a message, who gets its ok, and what is pending. Pure: no socket, clock or chance of its own. @module */
import { ProtocolError, type Verb, verbOf } from "../../protocol.ts";
import { type Message, MessagePool, TEXT_START } from "./message.ts";
import { DeadlineList } from "./deadline_list.ts";
import { PeerList } from "./roster.ts";
import type { LineVerdict, RouterOptions, RouterPeer, RouterStats, Sink } from "./types.ts";
import type { PeerState } from "./peers.ts";
import { MessageIndex } from "./message_index.ts";
import { InFlightLimit } from "./limits.ts";

export type { LineVerdict, MessageLimit, RouterOptions, RouterPeer, RouterStats, Sink } from "./types.ts";

const OK_TEXT_START = "ok ".length;
const MESSAGE: LineVerdict = { kind: "message" };
const OK: LineVerdict = { kind: "ok" };
const STRAY: LineVerdict = { kind: "stray" };
const ERROR: LineVerdict = { kind: "error" };

/**
 * The relay's heart.
 *
 * A message goes to one active peer chosen uniformly at random, its sender included. The ok of a peer that was given the message
 * goes once to everyone who sent it, and the message is forgotten. What a leaving or silent holder had goes to another.
 *
 * @example
 * ```ts
 * import { Router } from "@okline/okline/relay";
 * import { assertEquals } from "@std/assert";
 *
 * const router = new Router<{ slot: number }>({ random: () => 0.9, ackTimeout: 0, redeliver: true });
 * const [alice, bob] = [{ slot: -1 }, { slot: -1 }];
 * router.join(alice);
 * router.join(bob);
 *
 * const sent: unknown[] = [];
 * const out = (peer: unknown, line: string) => sent.push([peer === alice ? "alice" : "bob", line]);
 * router.line(alice, "message hi", 0, out);
 * router.line(bob, "ok hi", 0, out);
 * assertEquals(sent, [["bob", "message hi"], ["alice", "ok hi"]]);
 * assertEquals(router.stats().pending, 0);
 * ```
 */
export class Router<Peer extends RouterPeer> {
  readonly #options: RouterOptions;
  readonly #timed: boolean;
  readonly #roster: PeerList<Peer>;
  /**
   * For each text that waits for its ok the first of the ring of its deliveries: one with an origin, as all
   * are that follow it up to those without.
   */
  readonly #pending: MessageIndex<Message<Peer>>;
  readonly #due = new DeadlineList<Message<Peer>>();
  readonly #pool = new MessagePool<Peer>();
  readonly #underWay: InFlightLimit;
  readonly #counts = {
    messages: 0,
    settled: 0,
    oks: 0,
    stray: 0,
    redelivered: 0,
    dropped: 0,
    errors: 0,
    rejected: 0,
  };

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#underWay = new InFlightLimit(options);
    this.#roster = new PeerList(options.random);
    this.#pending = new MessageIndex(options.hashSeed ?? 0);
    this.#timed = options.redeliver && options.ackTimeout > 0;
  }

  /** From now on the peer gets messages, and may send. */
  join(peer: Peer): void {
    this.#roster.add(peer);
  }

  /** The peer is gone: what it held goes to others, and what only it waited for is dropped. */
  leave(peer: Peer, now: number, out: Sink<Peer>): void {
    const seat = this.#roster.remove(peer);
    for (let sending = seat.sent; sending !== undefined; sending = seat.sent) this.#withdraw(sending);
    for (let held = seat.held; held !== undefined; held = seat.held) {
      if (held.origin === undefined) {
        this.#forget(held);
      } else {
        seat.removeHeld(held);
        if (this.#options.redeliver) this.#redeliver(held, this.#roster.anyone(), now, out);
      }
    }
  }

  /** From now on no message is taken, for this reason; those under way are settled as ever. */
  close(why: string): void {
    this.#underWay.close(why);
  }

  /** A line of an active peer, as it came. `now` is the time in ms. */
  line(peer: Peer, line: string, now: number, out: Sink<Peer>): LineVerdict {
    let verb: Verb;
    try {
      verb = verbOf(line);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#reject(error.message);
    }
    switch (verb) {
      case "message":
        return this.#message(this.#roster.seatOf(peer), line, now, out);
      case "ok":
        return this.#ok(this.#roster.seatOf(peer), line, out);
      case "error":
        this.#counts.errors++;
        return ERROR;
      case "auth":
        return this.#reject("Unexpected auth: this connection needs none");
    }
  }

  /**
   * Hands on every message whose ack timeout has passed.
   *
   * @returns When to call again, in ms on the same clock, or `undefined` while nothing is due.
   */
  expire(now: number, out: Sink<Peer>): number | undefined {
    let sending = this.#due.first;
    while (sending !== undefined && sending.due <= now) {
      this.#handOn(sending, now, out);
      sending = this.#due.first;
    }
    return sending?.due;
  }

  /** When {@linkcode Router.expire} will next have something to do. */
  get nextDue(): number | undefined {
    return this.#due.first?.due;
  }

  stats(): RouterStats {
    return {
      active: this.#roster.size,
      pending: this.#pending.size,
      due: this.#due.size,
      ...this.#counts,
      ...this.#underWay.counts(),
    };
  }

  #message(origin: PeerState<Peer>, line: string, now: number, out: Sink<Peer>): LineVerdict {
    const refusal = this.#underWay.refusal(origin.sentCount);
    if (refusal !== undefined) return refusal;
    this.#counts.messages++;
    this.#underWay.begin();
    const hash = this.#pending.hash(line, TEXT_START);
    const first = this.#pending.get(line.slice(TEXT_START), hash);
    // Of many sendings one line is kept: it may be long.
    const sending = this.#pool.take(first?.line ?? line, hash, origin);
    if (first === undefined) this.#pending.add(sending);
    else sending.insertBefore(first.next);
    origin.addSent(sending);
    const holder = this.#roster.anyone();
    this.#give(sending, holder, now);
    out(holder.peer, line);
    return MESSAGE;
  }

  #ok(holder: PeerState<Peer>, line: string, out: Sink<Peer>): LineVerdict {
    const first = this.#firstHeld(holder, line);
    if (first === undefined) {
      this.#counts.stray++;
      return STRAY;
    }
    this.#counts.settled++;
    this.#tellOrigins(first, line, out);
    this.#drop(first);
    return OK;
  }

  /** The first of the ring that an ok of a peer settles, where it holds one of it. */
  #firstHeld(holder: PeerState<Peer>, line: string): Message<Peer> | undefined {
    const text = line.slice(OK_TEXT_START);
    const { held } = holder;
    // Nearly always it is what it has had for longest, and is alone: to compare costs less than to look up.
    if (held !== undefined && held.text === text && held.next === held) return held;
    const first = this.#pending.get(text, this.#pending.hash(line, OK_TEXT_START));
    return first !== undefined && holder.holds(first) ? first : undefined;
  }

  #reject(reason: string): LineVerdict {
    this.#counts.rejected++;
    return { kind: "rejected", reason };
  }

  /** Sends a line to everyone who waits for a text, once. */
  #tellOrigins(first: Message<Peer>, line: string, out: Sink<Peer>): void {
    let sending = first;
    do {
      const { origin } = sending;
      if (origin === undefined) return;
      if (origin.lastOk !== this.#counts.settled) {
        origin.lastOk = this.#counts.settled;
        this.#counts.oks++;
        out(origin.peer, line);
      }
      sending = sending.next;
    } while (sending !== first);
  }

  /** Gives a sending to a peer. */
  #give(sending: Message<Peer>, holder: PeerState<Peer>, now: number): void {
    holder.addHeld(sending);
    if (!this.#timed) return;
    // Whole, as V8 keeps a fraction in an object of its own.
    sending.due = Math.ceil(now + this.#options.ackTimeout);
    this.#due.append(sending);
  }

  #redeliver(sending: Message<Peer>, holder: PeerState<Peer>, now: number, out: Sink<Peer>): void {
    this.#counts.redelivered++;
    if (this.#timed) this.#due.remove(sending);
    this.#give(sending, holder, now);
    out(holder.peer, sending.line);
  }

  /** The holder of a sending is silent. */
  #handOn(sending: Message<Peer>, now: number, out: Sink<Peer>): void {
    const holder = sending.holder!;
    const other = this.#roster.anyoneBut(holder);
    holder.removeHeld(sending);
    if (other !== holder) this.#remember(sending, holder);
    this.#redeliver(sending, other, now, out);
  }

  /** A peer that had a text may settle it as long as it is pending. */
  #remember(sending: Message<Peer>, holder: PeerState<Peer>): void {
    if (holder.holds(sending)) return;
    const former = this.#pool.take(sending.line, sending.hash, undefined);
    former.insertBefore(this.#firstOf(sending));
    holder.addHeld(former);
  }

  /** The origin of a sending has gone: the sending is over, and its text is dropped unless others wait for it. */
  #withdraw(sending: Message<Peer>): void {
    const first = this.#firstOf(sending);
    const other = first === sending ? sending.next : first;
    if (other === sending || other.origin === undefined) {
      this.#counts.dropped++;
      this.#drop(sending);
      return;
    }
    if (first === sending) this.#pending.replace(first, other);
    const { holder } = sending;
    this.#forget(sending);
    if (holder !== undefined) this.#remember(other, holder);
  }

  /** The first of a delivery's ring. */
  #firstOf(delivery: Message<Peer>): Message<Peer> {
    return this.#pending.get(delivery.text, delivery.hash)!;
  }

  /** Forgets a text. */
  #drop(first: Message<Peer>): void {
    this.#pending.delete(first);
    for (let other = first.next; other !== first; other = first.next) this.#forget(other);
    this.#forget(first);
  }

  /** Takes a delivery out of every list. */
  #forget(delivery: Message<Peer>): void {
    const { origin, holder } = delivery;
    delivery.leaveRing();
    holder?.removeHeld(delivery);
    if (origin !== undefined) {
      origin.removeSent(delivery);
      this.#underWay.end();
      if (this.#timed) this.#due.remove(delivery);
    }
    this.#pool.giveBack(delivery);
  }
}
