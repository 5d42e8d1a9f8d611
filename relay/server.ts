/** The relay on sockets: a router behind a listener. @module */
import { errorLine } from "../protocol.ts";
import { authenticate, type AuthOptions } from "../access/authenticate.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, describeCloseReason, FramingError } from "../socket/errors.ts";
import { type LineListenOptions, listen, type Listener, type ListenerStats } from "../socket/listener.ts";
import type { Address } from "../socket/network.ts";
import type { Clock, Random, Timer } from "../internal/clock.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";
import { Watch } from "../internal/watch.ts";
import type { DurationHistogram } from "../internal/duration_histogram.ts";
import type { Bus } from "./cluster/bus.ts";
import { ClusterLink, type RelayPeer } from "./cluster/cluster_link.ts";
import type { MembershipStats } from "./cluster/membership.ts";
import { Router, type RouterStats } from "./router/router.ts";

/** Sees all that a relay server does; for histories and tests. Must not throw. */
export interface RelayObserver {
  /** A connection was admitted. */
  opened?(connection: Connection): void;
  /** A line came in. */
  received?(connection: Connection, line: string): void;
  /** A line was queued for a peer. */
  sent?(connection: Connection, line: string): void;
  /** A connection has ended. */
  closed?(connection: Connection, reason: CloseReason): void;
}

/** What to listen on, and how to relay. */
export interface RelayServerOptions
  extends Omit<LineListenOptions, "refusal" | "farewell" | "onClosed" | "onChanged"> {
  /** Time in ms after which a message without its ok is redelivered; 0 for never. Default 10,000. */
  ackTimeout?: number;
  /** Whether a message goes to another peer when its holder leaves or is silent. Default `true`. */
  redeliver?: boolean;
  /** Most messages under way in all; a message over it is answered by an error. 0 for no bound. Default 0. */
  maxUnderWay?: number;
  /** The same for each connection. Default 0. */
  maxUnderWayPerPeer?: number;
  /** What a peer must show before it is a peer. Default: nothing. */
  auth?: Omit<AuthOptions, "clock" | "errorLine">;
  /** Source of the random choice of receivers. Default: the system's. */
  random?: Random;
  /** Receives the events of the server. */
  observer?: RelayObserver;
  /** Records the time from each message to its ok. Default: not measured. */
  ackTimes?: DurationHistogram;
}

/** The state of a relay server: of its sockets, of its router, and the timers that run. */
export interface RelayServerStats extends ListenerStats, RouterStats {
  /** Pending timers. */
  readonly timers: number;
  /** Messages that had no ok when draining or closing ended the connections. */
  readonly unsettled: number;
  /** Messages exchanged with other nodes of a cluster; absent outside one. */
  readonly bus?: MembershipStats;
}

const ACK_TIMEOUT = 10_000;
const DRAIN_TIMEOUT = 10_000;
// Each holds a descriptor and a message.
const MAX_HALF_CLOSED = 1000;

class Peer implements RelayPeer {
  slot = -1;
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Ends the connection of a peer that has half-closed. */
  end: (() => void) | undefined = undefined;

  send(line: string): void {
    this.connection.send(line);
  }
}

/** A running relay. Made by {@linkcode startRelay}. */
export class RelayServer implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #router: Router<RelayPeer>;
  readonly #clock: Clock;
  readonly #observer: RelayObserver;
  readonly #auth: AuthOptions | undefined;
  readonly #drainTimeout: number;
  readonly #watch = new Watch(() => this.stats());
  readonly #out: (peer: RelayPeer, line: string) => void;
  #ackTimer: Timer | undefined;
  #unsettled = 0;
  #draining = false;
  #halfClosed = 0;
  readonly #ackTimeout: number;
  #cluster: ClusterLink | undefined;

  /** Creates a server and binds its addresses. */
  constructor(options: RelayServerOptions) {
    const { ackTimeout = ACK_TIMEOUT, redeliver = true, random = systemRandom, observer = {} } = options;
    this.#clock = options.clock ?? systemClock;
    this.#observer = observer;
    this.#ackTimeout = ackTimeout;
    this.#drainTimeout = options.drainTimeout ?? DRAIN_TIMEOUT;
    this.#auth = options.auth && { ...options.auth, clock: this.#clock, errorLine };
    const { maxUnderWay = 0, maxUnderWayPerPeer = 0 } = options;
    // Not of `random`, which may be known; what is relayed to whom does not depend on it.
    const hashSeed = Math.floor(systemRandom() * 2 ** 32);
    this.#router = new Router({
      random,
      ackTimeout,
      redeliver,
      maxUnderWay,
      maxUnderWayPerPeer,
      hashSeed,
      ...(options.ackTimes === undefined ? {} : { ackTimes: options.ackTimes }),
    });
    this.#out = observer.sent === undefined ? (peer, line) => peer.send(line) : (peer, line) => {
      peer.send(line);
      if (peer instanceof Peer) observer.sent?.(peer.connection, line);
    };
    this.#listener = listen({
      ...options,
      refusal: errorLine,
      farewell: (reason) => errorLine(describeCloseReason(reason)),
      onClosed: (connection, reason) => {
        observer.closed?.(connection, reason);
      },
      onChanged: () => this.#watch.changed(),
    });
    // The same promise as `closed`: whoever looks there hears of a failure, and where nobody does, the runtime tells it.
    void this.#listener.serve((connection) => this.#serve(connection));
  }

  /** Where it listens. */
  get addresses(): readonly Address[] {
    return this.#listener.addresses;
  }

  /** The port, the same at every address. */
  get port(): number {
    return this.#listener.port;
  }

  /**
   * Settles when all is closed; rejects when accepting failed for good. Where nobody waits for it, such a failure is an
   * unhandled rejection, which ends the program: a server that serves nobody is not to go unnoticed.
   */
  get finished(): Promise<void> {
    return this.#listener.finished;
  }

  /** The open connections. */
  get connections(): Iterable<Connection> {
    return this.#listener.connections;
  }

  /** Returns how many messages without an ok each connection sent. Connections without any are left out. */
  unsettledByConnection(): Map<Connection, number> {
    const counts = new Map<Connection, number>();
    for (const [peer, messages] of this.#router.unsettled()) {
      if (peer instanceof Peer) counts.set(peer.connection, messages);
    }
    return counts;
  }

  /** Returns the counters of the server. */
  stats(): RelayServerStats {
    return {
      ...this.#listener.stats(),
      ...this.#router.stats(),
      timers: this.#ackTimer === undefined ? 0 : 1,
      unsettled: this.#unsettled,
      ...(this.#cluster === undefined ? {} : { bus: this.#cluster.stats() }),
    };
  }

  /** Waits until `holds` is true of the stats, and gives them; looks again after each read, connection and end. */
  until(
    holds: (stats: RelayServerStats) => boolean,
    options: { signal?: AbortSignal } = {},
  ): Promise<RelayServerStats> {
    return this.#watch.until(holds, options);
  }

  /**
   * Joins a cluster: from then on a message goes to a connection chosen uniformly over all nodes. Shutting down or closing
   * this server leaves the cluster.
   *
   * @param bus The messages between the nodes; see {@linkcode LocalBus}. This server closes it.
   * @param options.heartbeat Time between heartbeats in ms, the same on every node. Default 1,000.
   * @throws {TypeError} If the server is in a cluster already.
   * @throws If the bus cannot be reached.
   */
  async join(bus: Bus, options: { readonly heartbeat?: number } = {}): Promise<void> {
    if (this.#cluster !== undefined) {
      throw new TypeError("Cannot join a cluster: the server is in one already");
    }
    this.#cluster = new ClusterLink({
      bus,
      clock: this.#clock,
      heartbeat: options.heartbeat,
      router: this.#router,
      out: this.#out,
      onChange: () => this.#settle(),
    });
    this.#announce();
    await this.#cluster.start();
  }

  /** Stops accepting until {@linkcode RelayServer.resume}; see {@linkcode Listener.suspend}. */
  suspend(): void {
    this.#listener.suspend();
  }

  /** Accepts connections again. */
  resume(): void {
    this.#listener.resume();
  }

  /**
   * Stops accepting for good, tells every peer, gives the pending messages four fifths of `drainTimeout` to get their oks,
   * then ends every connection; what still stands after `drainTimeout` is cut. Half of that time new messages are taken, for
   * they may be on their way; then no more, for peers that go on sending would keep it from ever coming to an end.
   */
  async shutdown(): Promise<void> {
    this.#listener.stopAccepting();
    this.#draining = true;
    this.#announce();
    const since = this.#clock.now();
    const notice = errorLine(`Server is draining: connections end within ${this.#drainTimeout} ms`);
    for (const connection of this.#listener.connections) connection.send(notice);
    const late = new AbortController();
    const timers = [
      this.#clock.after(this.#drainTimeout * 0.4, () => this.#router.close("server is draining")),
      this.#clock.after(this.#drainTimeout * 0.8, () => late.abort()),
    ];
    try {
      await this.until((stats) => stats.pending === 0, { signal: late.signal });
    } catch (error) {
      if (!late.signal.aborted) throw error;
    } finally {
      for (const timer of timers) timer.cancel();
    }
    this.#noteUnsettled();
    await this.#listener.shutdown({ within: this.#drainTimeout, since });
    await this.#cluster?.close();
  }

  /** Closes everything now. */
  async close(): Promise<void> {
    this.#noteUnsettled();
    await this.#listener.close();
    await this.#cluster?.close();
  }

  /** As {@linkcode RelayServer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What is pending now will be dropped; it may be asked for twice, as when a drain is cut short. */
  #noteUnsettled(): void {
    this.#unsettled = Math.max(this.#unsettled, this.#router.stats().pending);
  }

  #serve(connection: Connection): Promise<void> {
    return this.#auth === undefined ? this.#relay(connection) : this.#relayOnce(connection, this.#auth);
  }

  async #relayOnce(connection: Connection, auth: AuthOptions): Promise<void> {
    try {
      if (!await authenticate(connection, auth)) return;
    } catch (error) {
      tellFraming(connection, error);
      throw error;
    }
    await this.#relay(connection);
  }

  // No async function: its frame would stay with every connection for as long as that is served.
  #relay(connection: Connection): Promise<void> {
    const peer = new Peer(connection);
    this.#router.join(peer);
    this.#announce();
    this.#observer.opened?.(connection);
    this.#watch.changed();
    return connection.consume((lines) => this.#lines(peer, lines)).then(
      () => this.#finishSent(peer),
      (error) => {
        this.#leave(peer);
        tellFraming(connection, error);
        throw error;
      },
    );
  }

  /**
   * Keeps a peer that has half-closed until its messages have their oks, as `nc -N` expects: for the ack timeout at most,
   * and only so many peers at a time.
   */
  #finishSent(peer: Peer): Promise<void> | void {
    // After a reset, it waits for no ok anymore: its messages must not go to others.
    if (!peer.connection.open) return this.#leave(peer);
    this.#router.halfClose(peer, this.#clock.now(), this.#out);
    if (this.#router.owed(peer) === 0 || this.#halfClosed >= MAX_HALF_CLOSED) return this.#leave(peer);
    this.#announce();
    this.#settle();
    this.#halfClosed++;
    return new Promise((resolve) => {
      const end = () => {
        if (peer.end === undefined) return;
        peer.end = undefined;
        timer.cancel();
        this.#halfClosed--;
        this.#leave(peer);
        resolve();
      };
      const timer = this.#clock.after(this.#ackTimeout > 0 ? this.#ackTimeout : ACK_TIMEOUT, end);
      peer.end = end;
      void peer.connection.closed.then(end);
    });
  }

  #leave(peer: Peer): void {
    this.#router.leave(peer, this.#clock.now(), this.#out);
    this.#announce();
    this.#settle();
  }

  #announce(): void {
    this.#cluster?.announce(this.#draining ? 0 : this.#router.size);
  }

  #lines(peer: Peer, lines: readonly string[]): void {
    const now = this.#clock.now();
    for (const line of lines) this.#line(peer, line, now);
    this.#settle();
  }

  #line(peer: Peer, line: string, now: number): void {
    this.#observer.received?.(peer.connection, line);
    const verdict = this.#router.line(peer, line, now, this.#out);
    if (verdict.kind === "rejected" || verdict.kind === "limited") {
      peer.connection.send(errorLine(verdict.reason));
    }
  }

  /** After each change: one timer, for the first message that is due, and none while nothing is. */
  #settle(): void {
    for (const peer of this.#router.takeFinished()) {
      if (peer instanceof Peer) peer.end?.();
    }
    const due = this.#router.nextDue;
    if (due === undefined) {
      this.#ackTimer?.cancel();
      this.#ackTimer = undefined;
    } else if (this.#ackTimer === undefined) {
      this.#ackTimer = this.#clock.after(Math.max(0, due - this.#clock.now()), () => {
        this.#ackTimer = undefined;
        this.#router.expire(this.#clock.now(), this.#out);
        this.#settle();
      });
    }
    this.#watch.changed();
  }
}

/** Tells a peer what was wrong with its input; the connection still stands then. */
function tellFraming(connection: Connection, error: unknown): void {
  if (error instanceof FramingError) connection.send(errorLine(error.message));
}

/**
 * Starts a relay server.
 *
 * @returns The server, listening.
 * @throws As {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { runRelayClient, startRelay } from "@okline/okline/relay";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startRelay();
 * const { acknowledged } = await runRelayClient({ port: server.port, text: "hello" });
 * assertEquals(acknowledged, true);
 * ```
 */
export function startRelay(options: RelayServerOptions = {}): RelayServer {
  return new RelayServer(options);
}
