/** The relay server: a router behind a listener. @module */
import { errorLine } from "../protocol.ts";
import { authenticate, type AuthOptions, type PeerAuth } from "../access/authenticate.ts";
import { closeOnAbort } from "../socket/close_on_abort.ts";
import { lineCodecWithin } from "../socket/codecs/line_codec.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, describeToPeer, DRAINED } from "../socket/errors.ts";
import type { ConnectionTimeouts } from "../socket/connection_options.ts";
import type { LineListenLimits, LineListenOptions, ListenAccess } from "../socket/listen_options.ts";
import { Listener, type ListenerStats } from "../socket/listener.ts";
import type { FrameSink } from "../socket/frame_iterator.ts";
import type { ListenerEvent } from "../socket/listener_event.ts";
import type { Address } from "../socket/network.ts";
import type { Clock, Random, Timer } from "../internal/clock.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";
import { Watch } from "../internal/watch.ts";
import type { DurationHistogram } from "../internal/duration_histogram.ts";
import type { Bus } from "./cluster/bus.ts";
import { ClusterLink, type RelayPeer } from "./cluster/cluster_link.ts";
import type { MembershipStats } from "./cluster/membership.ts";
import { HalfClosedPeers } from "./half_closed_peers.ts";
import { Router, type RouterStats } from "./router/router.ts";

/** An event of a relay server. */
export type RelayEvent =
  | ListenerEvent
  /** A connection takes part in the relay from now on: it was accepted, and has presented its token if one is needed. */
  | { readonly type: "joined"; readonly connection: Connection };

/**
 * Sees every line of a relay server, for tests. Must not throw. These are direct calls and not events, because a server
 * should not allocate an object for each message.
 */
export interface RelayObserver {
  /** A line was received. */
  received?(connection: Connection, line: string): void;
  /** A line was queued for a connection. */
  sent?(connection: Connection, line: string): void;
}

/** Limits of a relay server. */
export interface RelayLimits extends LineListenLimits {
  /** Limit of messages in flight. A message over it is answered with an error. 0 disables. Default 0. */
  maxInFlight?: number;
  /** Limit of messages in flight for each connection. 0 disables. Default 0. */
  maxInFlightPerPeer?: number;
}

/** Timeouts of a relay server, in ms. */
export interface RelayTimeouts extends ConnectionTimeouts {
  /** Time after which a message without its ok is redelivered; 0 disables. Default 10,000. */
  ack?: number;
}

/** Decides which peers may use a relay server. */
export interface RelayAccess extends ListenAccess {
  /** Token that a peer must present in its first line. Default: none. */
  auth?: PeerAuth;
}

/** Options for {@linkcode startRelay}. */
export interface RelayServerOptions extends Omit<LineListenOptions, "refusal" | "farewell" | "onEvent"> {
  /** Limits of the listener, of each connection, and of messages in flight. */
  limits?: RelayLimits;
  /** Timeouts of each connection and message. */
  timeouts?: RelayTimeouts;
  /** Decides which peers may connect, and what they must show. */
  access?: RelayAccess;
  /** Whether a message goes to another peer when its receiver closes or is silent. Default `true`. */
  redeliver?: boolean;
  /** Source of the random choice of receivers. Default: the system's. */
  random?: Random;
  /** Receives the events of the server. */
  onEvent?: (event: RelayEvent) => void;
  /** Sees every line. */
  observer?: RelayObserver;
  /** Records the time from each message to its ok. Default: not measured. */
  ackTimes?: DurationHistogram;
}

/** Counters of a relay server. */
export interface RelayServerStats extends ListenerStats, RouterStats {
  /** Pending timers. */
  readonly timers: number;
  /** Messages without an ok when a shutdown or close ended the connections. */
  readonly unsettled: number;
  /** Messages exchanged with other nodes of a cluster; absent outside one. */
  readonly bus?: MembershipStats;
}

const ACK_TIMEOUT = 10_000;
const DRAIN_TIMEOUT = 10_000;

/** What a server does with the input of a peer. */
interface PeerInput {
  lines(peer: Peer, lines: readonly string[]): void;
  ended(peer: Peer, error: unknown): void;
}

/**
 * A connection that takes part in the relay. It takes its lines itself: a loop over `batches()` takes up to 13 % more CPU
 * with 10,000 connections of which 200 are busy (22 % over epoll), and 4 KiB per connection.
 */
class Peer implements RelayPeer, FrameSink<string> {
  slot = -1;
  readonly connection: Connection;
  readonly #input: PeerInput;

  constructor(connection: Connection, input: PeerInput) {
    this.connection = connection;
    this.#input = input;
  }

  send(line: string): void {
    this.connection.send(line);
  }

  take(lines: readonly string[]): void {
    this.#input.lines(this, lines);
  }

  ended(error?: unknown): void {
    this.#input.ended(this, error);
  }
}

/** A running relay; see {@linkcode startRelay}. */
export class RelayServer implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #router: Router<RelayPeer>;
  readonly #clock: Clock;
  readonly #observer: RelayObserver;
  readonly #onEvent: RelayServerOptions["onEvent"];
  readonly #auth: AuthOptions | undefined;
  #drainTimeout: number;
  readonly #halfClosed: HalfClosedPeers<Peer>;
  readonly #watch = new Watch(() => this.stats());
  readonly #out: (peer: RelayPeer, line: string) => void;
  readonly #input: PeerInput = {
    lines: (peer, lines) => this.#lines(peer, lines),
    ended: (peer, error) => this.#listener.served(peer.connection, this.#ended(peer, error)),
  };
  #ackTimer: Timer | undefined;
  #unsettled = 0;
  #draining = false;
  #cluster: ClusterLink | undefined;

  /** Creates a server and binds its addresses. */
  constructor(options: RelayServerOptions) {
    const { limits = {}, timeouts = {}, access = {}, observer = {} } = options;
    const { ack = ACK_TIMEOUT, drain = DRAIN_TIMEOUT } = timeouts;
    this.#clock = options.clock ?? systemClock;
    this.#observer = observer;
    this.#onEvent = options.onEvent;
    this.#halfClosed = new HalfClosedPeers({
      clock: this.#clock,
      timeout: ack > 0 ? ack : ACK_TIMEOUT,
    });
    this.#drainTimeout = drain;
    this.#auth = access.auth && { ...access.auth, clock: this.#clock };
    // Not from `random`, which may be predictable. No choice of a receiver depends on the seed.
    const hashSeed = Math.floor(systemRandom() * 2 ** 32);
    this.#router = new Router({
      random: options.random ?? systemRandom,
      ackTimeout: ack,
      redeliver: options.redeliver ?? true,
      maxInFlight: limits.maxInFlight ?? 0,
      maxInFlightPerPeer: limits.maxInFlightPerPeer ?? 0,
      hashSeed,
      ...(options.ackTimes === undefined ? {} : { ackTimes: options.ackTimes }),
    });
    this.#out = observer.sent === undefined ? (peer, line) => peer.send(line) : (peer, line) => {
      peer.send(line);
      if (peer instanceof Peer) observer.sent?.(peer.connection, line);
    };
    const { signal, ...listen } = options;
    signal?.throwIfAborted();
    this.#listener = new Listener({
      ...listen,
      codec: lineCodecWithin(limits),
      refusal: errorLine,
      farewell,
    }, () => this.#watch.changed());
    // This is the promise `finished`. If nothing waits for it, the runtime reports a failure.
    void this.#listener.serveWith((connection) => this.#serve(connection));
    closeOnAbort(this, signal);
  }

  /** Bound addresses. */
  get addresses(): readonly Address[] {
    return this.#listener.addresses;
  }

  /** Bound port, the same at every address. */
  get port(): number {
    return this.#listener.port;
  }

  /**
   * Resolves when everything is closed. Rejects if accepting failed for good; if nothing waits for it, that is an unhandled
   * rejection, which ends the program: a server that accepts no connections must not go unnoticed.
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

  /** Waits until `holds` returns true for the stats, and returns them. Checks after each read, new connection, and end. */
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
   * @param options.clock Clock of the heartbeats. Default: that of the server.
   * @throws {TypeError} If the server is in a cluster already.
   * @throws If the bus cannot be reached.
   */
  async join(bus: Bus, options: { readonly heartbeat?: number; readonly clock?: Clock } = {}): Promise<void> {
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

  /** Stops accepting until {@linkcode RelayServer.resume}; see {@linkcode Listener.suspend}. */
  suspend(): void {
    this.#listener.suspend();
  }

  /** Accepts connections again. */
  resume(): void {
    this.#listener.resume();
  }

  /**
   * Changes limits and timeouts; those that are left out stay; see {@linkcode Listener.setLimits}.
   *
   * @param timeouts All but the ack timeout, which messages in flight depend on.
   */
  setLimits(limits: RelayLimits, timeouts: ConnectionTimeouts = {}): void {
    const { maxInFlight, maxInFlightPerPeer, ...rest } = limits;
    this.#listener.setLimits(rest, timeouts);
    this.#drainTimeout = timeouts.drain ?? this.#drainTimeout;
    this.#router.setLimits({
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
      ...(maxInFlightPerPeer === undefined ? {} : { maxInFlightPerPeer }),
    });
  }

  /**
   * Stops accepting for good, notifies every peer, gives pending messages four fifths of `timeouts.drain` to get their oks, and
   * closes every connection. Connections that are still open after `timeouts.drain` are aborted. For the first 40 % of it, new
   * messages are taken, because they may be on their way; later ones are answered with an error, or a peer that keeps
   * sending would keep the server from ending.
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

  /** Closes everything immediately. */
  async close(): Promise<void> {
    this.#noteUnsettled();
    await this.#listener.close();
    await this.#cluster?.close();
  }

  /** Calls {@linkcode RelayServer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Counts the messages that closing will drop. Called twice if a shutdown is cut short. */
  #noteUnsettled(): void {
    this.#unsettled = Math.max(this.#unsettled, this.#router.stats().pending);
  }

  #serve(connection: Connection): void {
    if (this.#auth === undefined) this.#relay(connection);
    else void this.#authenticate(connection, this.#auth);
  }

  async #authenticate(connection: Connection, auth: AuthOptions): Promise<void> {
    try {
      if (await authenticate(connection, auth)) return this.#relay(connection);
      this.#listener.served(connection, Promise.resolve());
    } catch (error) {
      this.#listener.served(connection, Promise.reject(error));
    }
  }

  /** Relays the lines of a connection. */
  #relay(connection: Connection): void {
    const peer = new Peer(connection, this.#input);
    this.#router.join(peer);
    this.#announce();
    this.#onEvent?.({ type: "joined", connection });
    this.#watch.changed();
    connection.feed(peer);
  }

  async #ended(peer: Peer, error: unknown): Promise<void> {
    if (error === undefined) return await this.#inputEnded(peer);
    this.#leave(peer);
    throw error;
  }

  /** Lets a peer leave: at once, or if it has half-closed, when its messages have their oks. */
  #inputEnded(peer: Peer): Promise<void> | void {
    // After a reset, a peer waits for no ok, and its messages must not go to others.
    if (!peer.connection.open) return this.#leave(peer);
    this.#router.halfClose(peer, this.#clock.now(), this.#out);
    if (this.#router.owed(peer) === 0 || this.#halfClosed.full) return this.#leave(peer);
    this.#announce();
    this.#settle();
    return this.#halfClosed.wait(peer).then(() => this.#leave(peer));
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

  /** Called after each change. Keeps one timer, for the first message that is due. */
  #settle(): void {
    for (const peer of this.#router.takeFinished()) {
      if (peer instanceof Peer) this.#halfClosed.finish(peer);
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

/** Returns the last line for a peer. The start of the drain was announced to all of them. */
function farewell(reason: CloseReason): string | undefined {
  const message = reason === DRAINED ? undefined : describeToPeer(reason);
  return message === undefined ? undefined : errorLine(message);
}

/**
 * Starts a relay server.
 *
 * @returns The server, listening.
 * @throws The errors of {@linkcode listen}.
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
