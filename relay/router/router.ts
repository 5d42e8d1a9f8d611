/** Who gets a message, who gets its ok, and what is pending. Pure: no socket, clock or chance of its own. @module */
import { ProtocolError, type Verb, verbOf } from "../../protocol.ts";
import { type Message, MessagePool, TEXT_START } from "./message.ts";
import { DeadlineList } from "./deadline_list.ts";
import type { LineVerdict, RouterOptions, RouterPeer, RouterStats, Sink } from "./types.ts";
import { PeerList, type PeerState } from "./peers.ts";
import { MessageIndex } from "./message_index.ts";
import { InFlightLimit } from "./limits.ts";
import { type DurationHistogram, durationUnits } from "../../internal/duration_histogram.ts";

export type { LineVerdict, MessageLimit, RouterOptions, RouterPeer, RouterStats, Sink } from "./types.ts";

const OK_TEXT_START = "ok ".length;
/** Between nodes: the message comes back, because no connection of the node can take it. */
const RETURN = "return ";
/** Between nodes: the message is settled, and needs no ok anymore. */
const DROP = "drop ";
const MESSAGE: LineVerdict = { kind: "message" };
const RETURNED: LineVerdict = { kind: "returned" };
const DROPPED: LineVerdict = { kind: "dropped" };
const LATE: LineVerdict = { kind: "late" };
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
  /** Peers that send no more, and still wait for oks. */
  readonly #halfClosed = new Map<Peer, PeerState<Peer>>();
  /** Those of them that wait for none anymore. */
  #finished: Peer[] = [];
  readonly #pool = new MessagePool<Peer>();
  readonly #underWay: InFlightLimit;
  readonly #ackTimes: DurationHistogram | undefined;
  readonly #counts = {
    messages: 0,
    settled: 0,
    oks: 0,
    stray: 0,
    redelivered: 0,
    returned: 0,
    late: 0,
    dropped: 0,
    errors: 0,
    rejected: 0,
  };

  /** Creates a router without peers. */
  constructor(options: RouterOptions) {
    this.#options = options;
    this.#underWay = new InFlightLimit(options);
    this.#roster = new PeerList(options.random);
    this.#pending = new MessageIndex(options.hashSeed ?? 0);
    this.#ackTimes = options.ackTimes;
    this.#timed = options.redeliver && options.ackTimeout > 0;
  }

  /** From now on the peer gets messages, and may send. */
  join(peer: Peer): void {
    this.#roster.add(peer);
  }

  /**
   * Adds another node of a cluster. It gets its share of the messages by the number of its connections; messages that it
   * sends, each with its ok owed to it, stay on this node.
   */
  joinNode(node: Peer, connections: number): void {
    this.#roster.addNode(node, connections);
  }

  /** Changes the number of connections that a node stands for. */
  weigh(node: Peer, connections: number): void {
    this.#roster.weigh(node, connections);
  }

  /** The peer is gone: what it held goes to others, and what only it waited for is dropped. */
  leave(peer: Peer, now: number, out: Sink<Peer>): void {
    const seat = this.#halfClosed.get(peer) ?? this.#roster.remove(peer);
    this.#halfClosed.delete(peer);
    for (let sending = seat.sent; sending !== undefined; sending = seat.sent) {
      if (this.#withdraw(sending, out)) this.#counts.dropped++;
    }
    this.#handOver(seat, now, out);
  }

  /**
   * Makes a peer that sends no more a mere origin: it gets no messages, and the messages it holds go to others, because it
   * cannot answer them. Its own messages stay until {@linkcode Router.leave}.
   */
  halfClose(peer: Peer, now: number, out: Sink<Peer>): void {
    const state = this.#roster.remove(peer);
    this.#halfClosed.set(peer, state);
    this.#handOver(state, now, out);
  }

  /** Returns how many messages of a half-closed peer have no ok yet. */
  owed(peer: Peer): number {
    return this.#halfClosed.get(peer)?.sentCount ?? 0;
  }

  /** Returns the half-closed peers that have got their last ok, or lost their last message, since the last call. */
  takeFinished(): readonly Peer[] {
    if (this.#finished.length === 0) return this.#finished;
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  /** Gives the messages that a peer holds to others. */
  #handOver(seat: PeerState<Peer>, now: number, out: Sink<Peer>): void {
    for (let held = seat.held; held !== undefined; held = seat.held) {
      if (held.origin === undefined) {
        this.#forget(held, out);
      } else {
        seat.removeHeld(held);
        if (this.#options.redeliver) this.#reassign(held, now, out);
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
        return this.#message(this.#roster.stateOf(peer), line, now, out);
      case "ok":
        return this.#ok(this.#roster.stateOf(peer), line, now, out);
      case "error":
        this.#counts.errors++;
        return ERROR;
      case "auth":
        return this.#reject("Unexpected auth: this connection needs none");
    }
  }

  /**
   * Takes a line of another node: as {@linkcode Router.line}; `return X` for a message that found no receiver there, and
   * `drop X` for one of its own that needs no ok anymore.
   */
  nodeLine(node: Peer, line: string, now: number, out: Sink<Peer>): LineVerdict {
    const state = this.#roster.stateOf(node);
    if (line.startsWith(RETURN)) {
      const mine = this.#ring(line, RETURN.length).filter(({ holder, origin }) =>
        holder === state && origin !== undefined
      );
      for (const message of mine) {
        state.removeHeld(message);
        this.#giveTo(this.#roster.anyBut(state), message, now, out);
      }
      return mine.length > 0 ? RETURNED : LATE;
    }
    if (line.startsWith(DROP)) {
      const mine = this.#ring(line, DROP.length).filter(({ origin }) => origin === state);
      for (const message of mine) this.#withdraw(message, out);
      return mine.length > 0 ? DROPPED : LATE;
    }
    return this.line(node, line, now, out);
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

  /** Number of active connections, without nodes. */
  get size(): number {
    return this.#roster.size;
  }

  /** When {@linkcode Router.expire} will next have something to do. */
  get nextDue(): number | undefined {
    return this.#due.first?.due;
  }

  /** Messages without an ok, by the connection that sent them. Connections without any are left out. */
  *unsettled(): Generator<readonly [peer: Peer, messages: number]> {
    for (const { peer, sentCount } of this.#roster.connections) if (sentCount > 0) yield [peer, sentCount];
  }

  /** Returns the counters of the router. */
  stats(): RouterStats {
    return {
      active: this.#roster.size,
      nodes: this.#roster.nodes,
      pending: this.#pending.size,
      due: this.#due.size,
      ...this.#counts,
      ...this.#underWay.counts(),
    };
  }

  #message(origin: PeerState<Peer>, line: string, now: number, out: Sink<Peer>): LineVerdict {
    // A message of another node counts there, and must not travel on: two nodes could pass it back and forth forever.
    const holder = origin.isNode ? this.#receiverForNode() : this.#roster.any();
    if (holder === undefined) return this.#return(origin, line.slice(TEXT_START), out);
    if (!origin.isNode) {
      const refusal = this.#underWay.refusal(origin.sentCount);
      if (refusal !== undefined) return refusal;
      this.#underWay.begin();
    }
    this.#counts.messages++;
    const hash = this.#pending.hash(line, TEXT_START);
    const first = this.#pending.get(line.slice(TEXT_START), hash);
    // Of many sendings one line is kept: it may be long.
    const sending = this.#pool.take(first?.line ?? line, hash, origin);
    if (first === undefined) this.#pending.add(sending);
    else sending.insertBefore(first.next);
    if (this.#ackTimes !== undefined) sending.sentAt = durationUnits(now);
    origin.addSent(sending);
    this.#give(sending, holder, now);
    out(holder.peer, line);
    return MESSAGE;
  }

  #ok(holder: PeerState<Peer>, line: string, now: number, out: Sink<Peer>): LineVerdict {
    const first = this.#firstHeld(holder, line);
    if (first === undefined) return this.#unknownOk(holder);
    this.#counts.settled++;
    if (this.#ackTimes !== undefined) this.#measure(first, this.#ackTimes, durationUnits(now));
    this.#tellOrigins(first, line, out);
    this.#drop(first, out, holder);
    return OK;
  }

  /** Records how long the messages of a ring took. The node that a message came from measures it there. */
  #measure(first: Message<Peer>, ackTimes: DurationHistogram, now: number): void {
    let message = first;
    do {
      if (message.origin === undefined) return;
      if (!message.origin.isNode) ackTimes.recordUnits(now - message.sentAt);
      message = message.next;
    } while (message !== first);
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

  /** An ok for nothing that its sender holds. Between nodes that is normal: lines cross on the way. */
  #unknownOk(holder: PeerState<Peer>): LineVerdict {
    this.#counts[holder.isNode ? "late" : "stray"]++;
    return holder.isNode ? LATE : STRAY;
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
    // The node of its origin watches over the time, and gives it to another peer when that has passed.
    if (!this.#timed || sending.origin!.isNode) return;
    // Whole, as V8 keeps a fraction in an object of its own.
    sending.due = Math.ceil(now + this.#options.ackTimeout);
    this.#due.append(sending);
  }

  /** Gives a message whose holder left to another peer, or back to its node if there is none. */
  #reassign(message: Message<Peer>, now: number, out: Sink<Peer>): void {
    const { origin } = message;
    if (!origin!.isNode) return this.#giveTo(this.#roster.any(), message, now, out);
    const holder = this.#receiverForNode();
    if (holder !== undefined) {
      this.#redeliver(message, holder, now, out);
    } else {
      this.#return(origin!, message.text, out);
      this.#withdraw(message, out);
    }
  }

  /** Redelivers a message, or drops it if there is nobody left to answer it: its origin has half-closed. */
  #giveTo(holder: PeerState<Peer> | undefined, message: Message<Peer>, now: number, out: Sink<Peer>): void {
    if (holder !== undefined) this.#redeliver(message, holder, now, out);
    else if (this.#withdraw(message, out)) this.#counts.dropped++;
  }

  /** Returns a connection for a message of another node. While this node drains, others are better off with it. */
  #receiverForNode(): PeerState<Peer> | undefined {
    return this.#underWay.closed ? undefined : this.#roster.anyConnection();
  }

  /** Gives a message back to the node that it came from. */
  #return(origin: PeerState<Peer>, text: string, out: Sink<Peer>): LineVerdict {
    this.#counts.returned++;
    out(origin.peer, RETURN + text);
    return RETURNED;
  }

  #redeliver(sending: Message<Peer>, holder: PeerState<Peer>, now: number, out: Sink<Peer>): void {
    this.#counts.redelivered++;
    if (this.#timed && !sending.origin!.isNode) this.#due.remove(sending);
    this.#give(sending, holder, now);
    out(holder.peer, sending.line);
  }

  /** The holder of a sending is silent. */
  #handOn(sending: Message<Peer>, now: number, out: Sink<Peer>): void {
    const holder = sending.holder!;
    const other = this.#roster.anyBut(holder) ?? holder;
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

  /** Removes a message that its origin does not wait for anymore. Returns whether its text was dropped with it. */
  #withdraw(message: Message<Peer>, out: Sink<Peer>): boolean {
    const first = this.#firstOf(message);
    const other = first === message ? message.next : first;
    if (other === message || other.origin === undefined) {
      this.#drop(message, out);
      return true;
    }
    if (first === message) this.#pending.replace(first, other);
    const { holder } = message;
    this.#forget(message, undefined);
    if (holder !== undefined) this.#remember(other, holder);
    return false;
  }

  /** The first message of a message's ring. */
  #firstOf(message: Message<Peer>): Message<Peer> {
    return this.#pending.get(message.text, message.hash)!;
  }

  /** Returns the ring of the text that begins at `start` of a line, as it is now. */
  #ring(line: string, start: number): Message<Peer>[] {
    const first = this.#pending.get(line.slice(start), this.#pending.hash(line, start));
    if (first === undefined) return [];
    const ring = [first];
    for (let message = first.next; message !== first; message = message.next) ring.push(message);
    return ring;
  }

  /** Forgets a text. Nodes that hold it are notified, except for the one that settled it. */
  #drop(first: Message<Peer>, out: Sink<Peer>, settler?: PeerState<Peer>): void {
    this.#pending.delete(first);
    for (let other = first.next; other !== first; other = first.next) this.#forget(other, out, settler);
    this.#forget(first, out, settler);
  }

  /** Removes a message from every list. A node that holds it is notified, if there is an `out`. */
  #forget(message: Message<Peer>, out: Sink<Peer> | undefined, settler?: PeerState<Peer>): void {
    const { origin, holder } = message;
    if (holder?.isNode && holder !== settler) out?.(holder.peer, DROP + message.text);
    message.leaveRing();
    holder?.removeHeld(message);
    if (origin !== undefined) {
      origin.removeSent(message);
      if (origin.sentCount === 0 && this.#halfClosed.size > 0 && this.#halfClosed.has(origin.peer)) {
        this.#finished.push(origin.peer);
      }
      if (!origin.isNode) {
        this.#underWay.end();
        if (this.#timed) this.#due.remove(message);
      }
    }
    this.#pool.giveBack(message);
  }
}
