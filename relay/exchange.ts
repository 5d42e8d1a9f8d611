/** The messages between the connections of a relay server. @module */
import { authenticate, type AuthOptions, type PeerAuth } from "../access/authenticate.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { errorLine } from "../protocol.ts";
import { Line, type LineSender } from "../socket/codecs/line.ts";
import type { Connection } from "../socket/connection.ts";
import type { FrameSink } from "../socket/connection/frame_iterator.ts";
import { batcherOf, type WriteBatcher } from "../socket/connection/write_batcher.ts";
import type { Bus } from "./cluster/bus.ts";
import { ClusterLink, RelayPeer } from "./cluster/cluster_link.ts";
import type { MembershipStats } from "./cluster/membership.ts";
import { HalfClosedPeers } from "./half_closed_peers.ts";
import { Router, type RouterOptions, type RouterStats, type Sink } from "./router/router.ts";
import type { RelayObserver } from "./server_options.ts";

/** Options for {@linkcode Exchange}. */
export interface ExchangeOptions {
  readonly clock: Clock;
  readonly router: RouterOptions;
  /** Longest wait in ms for the oks of a sender that has half-closed. */
  readonly halfClosedTimeout: number;
  /** Token that a peer must present first. */
  readonly auth: PeerAuth | undefined;
  readonly observer: RelayObserver;
  /** Called when a connection takes part from now on. */
  readonly onJoined: (connection: Connection) => void;
  /** Called when nothing more is done for a connection. This, or `onFailed`, is called once for each. */
  readonly onServed: (connection: Connection) => void;
  /** Called when serving a connection has failed. */
  readonly onFailed: (connection: Connection, cause: unknown) => void;
  /** Called after each change of the stats. */
  readonly onChange: () => void;
}

/** Counters of an {@linkcode Exchange}. */
export interface ExchangeStats extends RouterStats {
  /** Pending timers. */
  readonly timers: number;
  /** Messages exchanged with other nodes of a cluster; absent outside one. */
  readonly bus?: MembershipStats;
}

/** Receives the input of peers. */
interface PeerInput {
  line(peer: Peer, line: Line): void;
  /** After the lines of a read. */
  taken(): void;
  ended(peer: Peer, error: unknown): void;
}

/**
 * A connection that takes part in the relay. It takes its lines itself, and as bytes. When lines were strings, a loop over
 * `batches()` took up to 13 % more CPU with 10,000 connections of which 200 were busy (22 % over epoll), and 4 KiB per
 * connection.
 */
class Peer extends RelayPeer implements FrameSink<string> {
  readonly connection: Connection;
  readonly #input: PeerInput;
  readonly #output: LineSender;

  constructor(connection: Connection, input: PeerInput) {
    super();
    this.connection = connection;
    this.#input = input;
    this.#output = connection.lineSender;
  }

  send(line: Line): void {
    this.#output.sendLine(line);
  }

  takeLine(line: Line): void {
    this.#input.line(this, line);
  }

  linesTaken(): void {
    this.#input.taken();
  }

  /** Takes lines that were read as strings: together with the token, or in a large read. */
  take(lines: readonly string[]): void {
    for (const line of lines) this.takeLine(Line.of(line));
    this.linesTaken();
  }

  ended(error?: unknown): void {
    this.#input.ended(this, error);
  }
}

/** Passes the lines of connections to a router, and what the router sends to connections and other nodes. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #clock: Clock;
  readonly #batcher: WriteBatcher;
  readonly #router: Router<RelayPeer>;
  readonly #observer: RelayObserver;
  readonly #auth: AuthOptions | undefined;
  readonly #halfClosed: HalfClosedPeers<Peer>;
  readonly #out: Sink<RelayPeer>;
  readonly #input: PeerInput = {
    line: (peer, line) => this.#line(peer, line),
    taken: () => this.#settle(),
    ended: (peer, error) => this.#ended(peer, error),
  };
  #ackTimer: Timer | undefined;
  #draining = false;
  #cluster: ClusterLink | undefined;

  constructor(options: ExchangeOptions) {
    const { clock, observer, auth, halfClosedTimeout } = options;
    this.#options = options;
    this.#clock = clock;
    this.#batcher = batcherOf(clock);
    this.#router = new Router(options.router);
    this.#observer = observer;
    this.#auth = auth && { ...auth, clock };
    this.#halfClosed = new HalfClosedPeers({ clock, timeout: halfClosedTimeout });
    this.#out = observer.sent === undefined ? (peer, line) => peer.send(line) : (peer, line) => {
      peer.send(line);
      if (peer instanceof Peer) observer.sent?.(peer.connection, line.text());
    };
  }

  /** Returns how many messages without an ok each connection sent. Connections without any are left out. */
  unsettledByConnection(): Map<Connection, number> {
    const counts = new Map<Connection, number>();
    for (const [peer, messages] of this.#router.unsettled()) {
      if (peer instanceof Peer) counts.set(peer.connection, messages);
    }
    return counts;
  }

  /** Returns the counters. */
  stats(): ExchangeStats {
    return {
      ...this.#router.stats(),
      timers: this.#ackTimer === undefined ? 0 : 1,
      ...(this.#cluster === undefined ? {} : { bus: this.#cluster.stats() }),
    };
  }

  /** Changes limits of messages in flight; those that are left out stay. */
  setLimits(limits: { readonly maxInFlight?: number; readonly maxInFlightPerPeer?: number }): void {
    this.#router.setLimits(limits);
  }

  /** Takes part in a cluster; see `RelayServer.join`. */
  async join(bus: Bus, options: { readonly heartbeat?: number; readonly clock?: Clock }): Promise<void> {
    if (this.#cluster !== undefined) {
      throw new TypeError("Cannot join a cluster: the server is in one already");
    }
    const cluster = new ClusterLink({
      bus,
      clock: options.clock ?? this.#clock,
      heartbeat: options.heartbeat,
      router: this.#router,
      out: this.#out,
      onChange: () => this.#settle(),
    });
    this.#cluster = cluster;
    this.#announce();
    try {
      await cluster.start();
    } catch (error) {
      this.#cluster = undefined;
      await cluster.close();
      throw error;
    }
  }

  /** Announces to the cluster that the connections of this node take no more messages of other nodes. */
  drain(): void {
    this.#draining = true;
    this.#announce();
  }

  /** Answers new messages with an error from now on. */
  refuse(reason: string): void {
    this.#router.close(reason);
  }

  /** Leaves the cluster. */
  async close(): Promise<void> {
    await this.#cluster?.close();
  }

  /** Serves a connection, once it has presented its token if one is needed. */
  serve(connection: Connection): void {
    if (this.#auth === undefined) this.#relay(connection);
    else void this.#authenticate(connection, this.#auth);
  }

  async #authenticate(connection: Connection, auth: AuthOptions): Promise<void> {
    const { onServed, onFailed } = this.#options;
    try {
      if (await authenticate(connection, auth)) return this.#relay(connection);
    } catch (error) {
      return onFailed(connection, error);
    }
    onServed(connection);
  }

  #relay(connection: Connection): void {
    const peer = new Peer(connection, this.#input);
    this.#options.onJoined(connection); // First: if it throws, the connection must not get messages.
    this.#router.join(peer);
    this.#announce();
    this.#options.onChange();
    connection.feed(peer);
  }

  #ended(peer: Peer, error: unknown): void {
    const { onServed, onFailed } = this.#options;
    const { connection } = peer;
    let rest: Promise<void> | undefined;
    try {
      if (error === undefined) rest = this.#inputEnded(peer);
      else this.#leave(peer);
    } catch (cause) {
      return onFailed(connection, cause);
    }
    if (error !== undefined) onFailed(connection, error);
    else if (rest === undefined) onServed(connection);
    else rest.then(() => onServed(connection), (cause) => onFailed(connection, cause));
  }

  /** Lets a peer leave: immediately, or if it has half-closed, when its messages have their oks. */
  #inputEnded(peer: Peer): Promise<void> | undefined {
    // After a reset, a peer waits for no ok, and its messages must not go to others.
    if (peer.connection.open) {
      this.#router.halfClose(peer, this.#clock.now(), this.#out);
      if (this.#router.owed(peer) > 0 && !this.#halfClosed.full) {
        this.#announce();
        this.#settle();
        return this.#halfClosed.wait(peer).then(() => this.#leave(peer));
      }
    }
    this.#leave(peer);
    return undefined;
  }

  #leave(peer: Peer): void {
    this.#router.leave(peer, this.#clock.now(), this.#out);
    this.#announce();
    this.#settle();
  }

  #announce(): void {
    this.#cluster?.announce(this.#draining ? 0 : this.#router.size);
  }

  #line(peer: Peer, line: Line): void {
    this.#observer.received?.(peer.connection, line.text());
    const verdict = this.#router.line(peer, line, this.#batcher.now(), this.#out);
    if (verdict.kind === "rejected" || verdict.kind === "limited") {
      peer.connection.send(errorLine(verdict.reason));
    }
  }

  /** Called after each change. Keeps one timer, for the first message that is due. */
  #settle(): void {
    // Each call that does nothing but this must leave no garbage: there is one for each read.
    if (this.#router.hasFinished) this.#finish();
    if (!this.#router.hasDue) {
      this.#ackTimer?.cancel();
      this.#ackTimer = undefined;
    } else if (this.#ackTimer === undefined) this.#startAckTimer(this.#router.nextDue!);
    this.#options.onChange();
  }

  #finish(): void {
    for (const peer of this.#router.takeFinished()) {
      if (peer instanceof Peer) this.#halfClosed.finish(peer);
    }
  }

  #startAckTimer(due: number): void {
    this.#ackTimer = this.#clock.after(Math.max(0, due - this.#clock.now()), () => {
      this.#ackTimer = undefined;
      this.#router.expire(this.#clock.now(), this.#out);
      this.#settle();
    });
  }
}
