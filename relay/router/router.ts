/** Routes messages to receivers, and their oks to senders, also when a peer leaves. Pure. @module */
import { ProtocolError, type Verb, verbOf } from "../../protocol.ts";
import { type DurationHistogram, durationUnits } from "../../internal/duration_histogram.ts";
import { Line } from "../../socket/codecs/line.ts";
import { InFlightLimit } from "./limits.ts";
import { type Message, TEXT_START } from "./message.ts";
import { DROP, MessageStore } from "./message_store.ts";
import { PeerList } from "./peers.ts";
import { RouterPeer } from "./router_peer.ts";
import { Redelivery, RETURN } from "./redelivery.ts";
import type { RouterOptions, RouterStats, Sink } from "./types.ts";
import { DROPPED, ERROR, LATE, type LineVerdict, MESSAGE, OK, RETURNED, STRAY } from "./verdict.ts";

export { RouterPeer };
export type { RouterOptions, RouterStats, Sink } from "./types.ts";
export type { LineVerdict, MessageLimit } from "./verdict.ts";

const { bytes: MESSAGE_BYTES } = Line.of("message ");
const { bytes: OK_BYTES } = Line.of("ok ");
const { bytes: RETURN_BYTES } = Line.of(RETURN);
const { bytes: DROP_BYTES } = Line.of(DROP);

/**
 * The core of the relay.
 *
 * A message goes to one active peer chosen uniformly at random, its sender included. The ok of a peer that got the message
 * goes once to each of its senders, and the message is forgotten. A message whose holder leaves or is silent goes to
 * another peer.
 *
 * Messages with the same text form a ring: those with an origin first, then those whose former holders may still answer.
 *
 * @example
 * ```ts
 * import { Router, RouterPeer } from "@okline/okline/relay";
 * import { Line } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * class Client extends RouterPeer<Client> {}
 *
 * const router = new Router<Client>({ random: () => 0.9, ackTimeout: 0, redeliver: true });
 * const [alice, bob] = [new Client(), new Client()];
 * router.join(alice);
 * router.join(bob);
 *
 * const sent: unknown[] = [];
 * const out = (peer: unknown, line: Line) => sent.push(`${line} to ${peer === alice ? "alice" : "bob"}`);
 * router.line(alice, Line.of("message hi"), 0, out);
 * router.line(bob, Line.of("ok hi"), 0, out);
 * assertEquals(sent, ["message hi to bob", "ok hi to alice"]);
 * assertEquals(router.stats().pending, 0);
 * ```
 */
export class Router<Peer extends RouterPeer<Peer>> {
  readonly #peers: PeerList<Peer>;
  readonly #store: MessageStore<Peer>;
  readonly #inFlight: InFlightLimit;
  readonly #redelivery: Redelivery<Peer>;
  readonly #ackTimes: DurationHistogram | undefined;
  /** Peers that send no more, and still wait for oks. */
  readonly #halfClosed = new Set<Peer>();
  /** Half-closed peers that do not wait anymore. */
  #finished: Peer[] = [];
  readonly #counts = {
    messages: 0,
    settled: 0,
    oks: 0,
    stray: 0,
    late: 0,
    errors: 0,
    rejected: 0,
  };

  /** Creates a router without peers. */
  constructor(options: RouterOptions) {
    const { redeliver, ackTimeout } = options;
    this.#inFlight = new InFlightLimit(options);
    this.#peers = new PeerList(options.random);
    this.#ackTimes = options.ackTimes;
    this.#store = new MessageStore({
      hashSeed: options.hashSeed ?? 0,
      timeout: redeliver && ackTimeout > 0 ? ackTimeout : undefined,
      onRemoved: (origin) => this.#removed(origin),
    });
    this.#redelivery = new Redelivery({
      peers: this.#peers,
      store: this.#store,
      inFlight: this.#inFlight,
      redelivers: redeliver,
    });
  }

  /**
   * Adds a connection: it gets messages, and may send.
   *
   * @throws {TypeError} If the peer has joined a router, and has not left it since.
   */
  join(peer: Peer): void {
    this.#assertNotHalfClosed(peer);
    this.#peers.add(peer);
  }

  /**
   * Adds another node of a cluster. It gets its share of the messages by the number of its connections. The messages that it
   * sends stay on this node.
   *
   * @throws {TypeError} If the node has joined a router, and has not left it since.
   */
  joinNode(node: Peer, connections: number): void {
    this.#assertNotHalfClosed(node);
    this.#peers.addNode(node, connections);
  }

  /**
   * Changes the number of connections that a node stands for.
   *
   * @throws {TypeError} If the peer is not a node that has joined and not left.
   */
  weigh(node: Peer, connections: number): void {
    this.#peers.weigh(node, connections);
  }

  /**
   * Removes a peer. The messages it holds go to others, and messages that only it sent are dropped.
   *
   * @throws {TypeError} If the peer has not joined, or has left already.
   */
  leave(peer: Peer, now: number, out: Sink<Peer>): void {
    if (!this.#halfClosed.delete(peer)) this.#peers.remove(peer);
    for (let message = peer.sent; message !== undefined; message = peer.sent) {
      this.#redelivery.withdraw(message, out);
    }
    this.#redelivery.handOver(peer, now, out);
  }

  /**
   * Makes a peer that sends no more a mere origin: it gets no messages, and the messages it holds go to others, because it
   * cannot answer them. Its own messages stay until {@linkcode Router.leave}.
   *
   * @throws {TypeError} If the peer has not joined, has left, or has half-closed already.
   */
  halfClose(peer: Peer, now: number, out: Sink<Peer>): void {
    this.#peers.remove(peer);
    this.#halfClosed.add(peer);
    this.#redelivery.handOver(peer, now, out);
  }

  /** Returns how many messages of a half-closed peer have no ok yet. */
  owed(peer: Peer): number {
    return this.#halfClosed.has(peer) ? peer.sentCount : 0;
  }

  /** Whether {@linkcode Router.takeFinished} has peers. */
  get hasFinished(): boolean {
    return this.#finished.length > 0;
  }

  /** Returns the half-closed peers that got their last ok, or lost their last message, since the last call. */
  takeFinished(): readonly Peer[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  /** Takes no messages anymore, for a reason that their senders get. Pending messages are settled as before. */
  close(reason: string): void {
    this.#inFlight.close(reason);
  }

  /** Changes the limits of messages in flight; those that are left out stay. */
  setLimits(limits: Pick<RouterOptions, "maxInFlight" | "maxInFlightPerPeer">): void {
    this.#inFlight.setLimits(limits);
  }

  /**
   * Routes a line of an active peer.
   *
   * @param line The line as received, without its line ending.
   * @param now Time in ms.
   */
  line(peer: Peer, line: Line, now: number, out: Sink<Peer>): LineVerdict {
    let verb: Verb;
    try {
      verb = verbIn(line);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#reject(error.message);
    }
    switch (verb) {
      case "message":
        return this.#message(peer, line, now, out);
      case "ok":
        return this.#ok(peer, line, now, out);
      case "error":
        this.#counts.errors++;
        return ERROR;
      case "auth":
        return this.#reject("Unexpected auth: this connection needs none");
    }
  }

  /**
   * Routes a line of another node: as {@linkcode Router.line}; `return X` for a message that found no receiver there, and
   * `drop X` for one of its own that needs no ok anymore.
   */
  nodeLine(node: Peer, line: Line, now: number, out: Sink<Peer>): LineVerdict {
    if (line.startsWith(RETURN_BYTES)) {
      const held = this.#store.ring(line, RETURN.length).filter(({ holder, origin }) =>
        holder === node && origin !== undefined
      );
      this.#redelivery.takeBack(held, node, now, out);
      return held.length > 0 ? RETURNED : LATE;
    }
    if (line.startsWith(DROP_BYTES)) {
      const sent = this.#store.ring(line, DROP.length).filter(({ origin }) => origin === node);
      for (const message of sent) this.#store.withdraw(message, out);
      return sent.length > 0 ? DROPPED : LATE;
    }
    return this.line(node, line, now, out);
  }

  /**
   * Redelivers every message whose ack timeout has passed.
   *
   * @returns Time in ms of the next call, or `undefined` while nothing is due.
   */
  expire(now: number, out: Sink<Peer>): number | undefined {
    return this.#redelivery.expire(now, out);
  }

  /** Number of active connections, without nodes. */
  get size(): number {
    return this.#peers.size;
  }

  /** Whether there is a {@linkcode Router.nextDue}. */
  get hasDue(): boolean {
    return this.#store.due > 0;
  }

  /** Time in ms at which {@linkcode Router.expire} has something to do. */
  get nextDue(): number | undefined {
    return this.#store.firstDue?.due;
  }

  /** Iterates over the connections with messages without an ok, and their numbers. */
  *unsettled(): Generator<readonly [peer: Peer, messages: number]> {
    for (const peer of this.#peers.connections) if (peer.sentCount > 0) yield [peer, peer.sentCount];
  }

  /** Returns the counters of the router. */
  stats(): RouterStats {
    return {
      active: this.#peers.size,
      nodes: this.#peers.nodes,
      pending: this.#store.size,
      due: this.#store.due,
      ...this.#counts,
      ...this.#redelivery.counts(),
      ...this.#inFlight.counts(),
    };
  }

  #message(origin: Peer, line: Line, now: number, out: Sink<Peer>): LineVerdict {
    // A message of another node counts there, and must not travel on: two nodes could pass it back and forth forever.
    const holder = origin.isNode ? this.#redelivery.receiverForNode() : this.#peers.any();
    if (holder === undefined) {
      this.#redelivery.sendBack(origin, line.text(TEXT_START), out);
      return RETURNED;
    }
    if (!origin.isNode) {
      const refusal = this.#inFlight.refusal(origin.sentCount);
      if (refusal !== undefined) return refusal;
      this.#inFlight.begin();
    }
    this.#counts.messages++;
    const message = this.#store.add(origin, line);
    if (this.#ackTimes !== undefined) message.sentAt = durationUnits(now);
    this.#store.assign(message, holder, now);
    out(holder, line);
    return MESSAGE;
  }

  #ok(holder: Peer, line: Line, now: number, out: Sink<Peer>): LineVerdict {
    const first = this.#store.firstHeld(holder, line, OK_BYTES.length);
    if (first === undefined) {
      // Between nodes that is normal, because lines cross on the way.
      this.#counts[holder.isNode ? "late" : "stray"]++;
      return holder.isNode ? LATE : STRAY;
    }
    this.#counts.settled++;
    if (this.#ackTimes !== undefined) measure(first, this.#ackTimes, durationUnits(now));
    this.#sendToOrigins(first, line, out);
    this.#store.drop(first, out, holder);
    return OK;
  }

  #assertNotHalfClosed(peer: Peer): void {
    if (this.#halfClosed.size > 0 && this.#halfClosed.has(peer)) {
      throw new TypeError("Cannot add the peer: it has joined already, and half-closed");
    }
  }

  #reject(reason: string): LineVerdict {
    this.#counts.rejected++;
    return { kind: "rejected", reason };
  }

  /** Sends a line to each origin of a ring, once. */
  #sendToOrigins(first: Message<Peer>, line: Line, out: Sink<Peer>): void {
    let message = first;
    do {
      const { origin } = message;
      if (origin === undefined) return; // From here on, the ring has only former holders.
      // The count of settled texts numbers this ok: an origin that sent the text several times gets it once.
      if (origin.lastOk !== this.#counts.settled) {
        origin.lastOk = this.#counts.settled;
        this.#counts.oks++;
        out(origin, line);
      }
      message = message.next;
    } while (message !== first);
  }

  #removed(origin: Peer): void {
    if (!origin.isNode) this.#inFlight.end();
    if (origin.sentCount === 0 && this.#halfClosed.size > 0 && this.#halfClosed.has(origin)) {
      this.#finished.push(origin);
    }
  }
}

/** Does the same as `verbOf`, without a string for the verbs of nearly every line. */
function verbIn(line: Line): Verb {
  if (line.startsWith(MESSAGE_BYTES)) return "message";
  return line.startsWith(OK_BYTES) ? "ok" : verbOf(line.text());
}

/** Records how long the messages of a ring took. Messages of other nodes are measured there. */
function measure<Peer extends RouterPeer<Peer>>(
  first: Message<Peer>,
  ackTimes: DurationHistogram,
  now: number,
): void {
  let message = first;
  do {
    if (message.origin === undefined) return;
    if (!message.origin.isNode) ackTimes.recordUnits(now - message.sentAt);
    message = message.next;
  } while (message !== first);
}
