/** Who gets a message, who gets its ok, and what is pending. Pure: no socket, clock or chance of its own. @module */
import { ProtocolError, splitLine } from "../protocol.ts";
import { type DueItem, DueList } from "./due_list.ts";
import type { LineVerdict, RouterOptions, RouterPeer, RouterStats, Sink } from "./router_types.ts";
import { areTied, cutFromPeer, each, type Tie, unchain } from "./tie.ts";

export type { LineVerdict, RouterOptions, RouterPeer, RouterStats, Sink } from "./router_types.ts";

/** A message that waits for its ok. */
interface Pending<Peer> {
  /** Its text, as on the wire: each text has one spelling. */
  readonly wire: string;
  readonly line: string;
  /** Who sent it. */
  origins: PeerTie<Peer> | undefined;
  /** Every peer it was delivered to that is still here: any of them may settle it. */
  holders: PeerTie<Peer> | undefined;
  /** A copy for each time it was sent. */
  copies: Copy<Peer> | undefined;
  copyCount: number;
}

type PeerTie<Peer> = Tie<Peer, Pending<Peer>>;

/** One sending of a message, and who has it. */
interface Copy<Peer> extends DueItem {
  readonly message: Pending<Peer>;
  readonly holder: Peer;
  /** The next of the message's copies. */
  next: this | undefined;
}

/** What one peer has to do with the pending messages. */
interface PeerTies<Peer> {
  readonly sent: PeerTie<Peer>[];
  readonly held: PeerTie<Peer>[];
}

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
  /** The active peers and, in the same places, their ties: no map from peers to anything. */
  readonly #active: Peer[] = [];
  readonly #ties: PeerTies<Peer>[] = [];
  readonly #pending = new Map<string, Pending<Peer>>();
  readonly #due = new DueList<Copy<Peer>>();
  #copies = 0;
  readonly #counts = {
    messages: 0,
    settled: 0,
    oks: 0,
    stray: 0,
    redelivered: 0,
    dropped: 0,
    errors: 0,
    rejected: 0,
    limited: 0,
  };

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** From now on the peer gets messages, and may send. */
  join(peer: Peer): void {
    peer.slot = this.#active.push(peer) - 1;
    this.#ties.push({ sent: [], held: [] });
  }

  /** The peer is gone: what it held goes to others, and what only it waited for is dropped. */
  leave(peer: Peer, now: number, out: Sink<Peer>): void {
    const ties = this.#remove(peer);
    for (const sent of ties.sent) {
      const { message } = sent;
      message.origins = unchain(message.origins, sent);
      if (message.origins === undefined) {
        this.#forget(message);
        this.#counts.dropped++;
      }
    }
    for (const held of ties.held) {
      const { message } = held;
      message.holders = unchain(message.holders, held);
      for (const copy of each(message.copies)) {
        if (copy.holder !== peer) continue;
        if (this.#options.redeliver) this.#redeliver(copy, now, out);
        else this.#removeCopy(copy);
      }
    }
  }

  /** A line of an active peer, as it came. `now` is the time in ms. */
  line(peer: Peer, line: string, now: number, out: Sink<Peer>): LineVerdict {
    let frame;
    try {
      frame = splitLine(line);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#reject(error.message);
    }
    switch (frame.verb) {
      case "message":
        return this.#message(peer, frame.wire, line, now, out);
      case "ok":
        return this.#ok(peer, frame.wire, line, out);
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
    for (let copy = this.#due.first; copy !== undefined && copy.due <= now; copy = this.#due.first) {
      this.#redeliver(copy, now, out);
    }
    return this.nextDue;
  }

  /** When {@linkcode Router.expire} will next have something to do. */
  get nextDue(): number | undefined {
    return this.#due.first?.due;
  }

  stats(): RouterStats {
    return { active: this.#active.length, pending: this.#pending.size, due: this.#due.size, ...this.#counts };
  }

  #message(peer: Peer, wire: string, line: string, now: number, out: Sink<Peer>): LineVerdict {
    let message = this.#pending.get(wire);
    const excess = this.#excess(peer, message);
    if (excess !== undefined) {
      this.#counts.limited++;
      return { kind: "limited", reason: excess };
    }
    this.#counts.messages++;
    if (message === undefined) {
      message = { wire, line, origins: undefined, holders: undefined, copies: undefined, copyCount: 0 };
      this.#pending.set(wire, message);
    }
    const { sent } = this.#ties[peer.slot]!;
    if (!areTied(message.origins, sent, { peer, message })) {
      message.origins = { peer, message, next: message.origins, place: sent.length };
      sent.push(message.origins);
    }
    this.#deliver(message, this.#anyone(), now, out);
    return MESSAGE;
  }

  /** Which limit one more sending of a message would pass. */
  #excess(peer: Peer, message: Pending<Peer> | undefined): string | undefined {
    const { maxUnderWay = 0, maxUnderWayPerPeer = 0 } = this.#options;
    if (maxUnderWay > 0 && Math.max(this.#copies, this.#pending.size) >= maxUnderWay) {
      return `too many messages under way: ${maxUnderWay} in all`;
    }
    if (maxUnderWayPerPeer === 0) return undefined;
    const sent = this.#ties[peer.slot]!.sent;
    const again = message !== undefined && areTied(message.origins, sent, { peer, message });
    const count = again ? message.copyCount : sent.length;
    return count < maxUnderWayPerPeer
      ? undefined
      : `too many messages under way: ${maxUnderWayPerPeer} of this connection`;
  }

  #ok(peer: Peer, wire: string, line: string, out: Sink<Peer>): LineVerdict {
    const message = this.#pending.get(wire);
    if (message === undefined || !areTied(message.holders, this.#ties[peer.slot]!.held, { peer, message })) {
      this.#counts.stray++;
      return STRAY;
    }
    const { origins } = message;
    this.#forget(message);
    this.#counts.settled++;
    for (let origin = origins; origin !== undefined; origin = origin.next) {
      this.#counts.oks++;
      out(origin.peer, line);
    }
    return OK;
  }

  #reject(reason: string): LineVerdict {
    this.#counts.rejected++;
    return { kind: "rejected", reason };
  }

  #deliver(message: Pending<Peer>, holder: Peer, now: number, out: Sink<Peer>): void {
    const { held } = this.#ties[holder.slot]!;
    if (!areTied(message.holders, held, { peer: holder, message })) {
      message.holders = { peer: holder, message, next: message.holders, place: held.length };
      held.push(message.holders);
    }
    const copy: Copy<Peer> = {
      due: now + this.#options.ackTimeout,
      message,
      holder,
      next: message.copies,
      earlier: undefined,
      later: undefined,
    };
    message.copies = copy;
    message.copyCount++;
    this.#copies++;
    if (this.#timed) this.#due.append(copy);
    out(holder, message.line);
  }

  #redeliver(copy: Copy<Peer>, now: number, out: Sink<Peer>): void {
    this.#removeCopy(copy);
    this.#counts.redelivered++;
    this.#deliver(copy.message, this.#anyoneBut(copy.holder), now, out);
  }

  /** Cuts every tie to a message. */
  #forget(message: Pending<Peer>): void {
    this.#pending.delete(message.wire);
    this.#copies -= message.copyCount;
    for (let origin = message.origins; origin !== undefined; origin = origin.next) {
      cutFromPeer(origin, this.#ties[origin.peer.slot]!.sent);
    }
    for (let holder = message.holders; holder !== undefined; holder = holder.next) {
      // A peer that is just leaving has given its place up, and its ties go with it.
      const ties = this.#ties[holder.peer.slot];
      if (ties !== undefined) cutFromPeer(holder, ties.held);
    }
    for (let copy = message.copies; this.#timed && copy !== undefined; copy = copy.next) {
      this.#due.remove(copy);
    }
    // What a map has deleted it may keep reachable for long: let that be no more than this.
    message.origins = message.holders = message.copies = undefined;
    message.copyCount = 0;
  }

  #removeCopy(copy: Copy<Peer>): void {
    copy.message.copies = unchain(copy.message.copies, copy);
    copy.message.copyCount--;
    this.#copies--;
    if (this.#timed) this.#due.remove(copy);
  }

  get #timed(): boolean {
    return this.#options.redeliver && this.#options.ackTimeout > 0;
  }

  #anyone(): Peer {
    return this.#active[Math.floor(this.#options.random() * this.#active.length)]!;
  }

  /** Someone else, or the same where nobody else is there. */
  #anyoneBut(peer: Peer): Peer {
    const others = this.#active.length - 1;
    if (peer.slot < 0) return this.#anyone();
    if (others === 0) return peer;
    const slot = Math.floor(this.#options.random() * others);
    return this.#active[slot < peer.slot ? slot : slot + 1]!;
  }

  /** Takes the peer out of the active ones: the last takes its place. */
  #remove(peer: Peer): PeerTies<Peer> {
    const { slot } = peer;
    const ties = this.#ties[slot]!;
    const lastPeer = this.#active.pop()!;
    const lastTies = this.#ties.pop()!;
    if (lastPeer !== peer) {
      this.#active[slot] = lastPeer;
      this.#ties[slot] = lastTies;
      lastPeer.slot = slot;
    }
    peer.slot = -1;
    return ties;
  }
}
