/** The relay server: an exchange of messages behind a listener. @module */
import { errorLine } from "../protocol.ts";
import type { Clock } from "../internal/clock.ts";
import { Watch } from "../internal/watch.ts";
import { closeOnAbort } from "../socket/listener/close_on_abort.ts";
import { lineCodecWithin } from "../socket/codecs/line_codec.ts";
import type { Connection } from "../socket/connection.ts";
import type { ConnectionTimeouts } from "../socket/connection/options.ts";
import { DRAIN_TIMEOUT } from "../socket/connection/settings.ts";
import { type CloseReason, describeToPeer, DRAINED } from "../socket/errors.ts";
import { Listener } from "../socket/listener.ts";
import type { Address } from "../socket/network.ts";
import { systemClock, systemRandom } from "../socket/tcp.ts";
import type { Bus } from "./cluster/bus.ts";
import { Exchange } from "./exchange.ts";
import {
  ACK_TIMEOUT,
  type RelayLimits,
  type RelayServerOptions,
  type RelayServerStats,
} from "./server_options.ts";

/** Share of the drain timeout in which new messages are taken, because they may be on their way. */
const TAKE_SHARE = 0.4;
/** Share of the drain timeout in which pending messages may get their oks. Connections are closed in the rest. */
const SETTLE_SHARE = 0.8;

/** A running relay; see {@linkcode startRelay}. */
export class RelayServer implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #watch = new Watch(() => this.stats());
  #drainTimeout: number;
  #unsettled = 0;

  /** Creates a server and binds its addresses. */
  constructor(options: RelayServerOptions) {
    // Without the signal: it must close the whole server, which counts unsettled messages and leaves the cluster.
    const { signal, ...listen } = options;
    signal?.throwIfAborted();
    const { timeouts = {}, clock = systemClock } = options;
    this.#clock = clock;
    this.#drainTimeout = timeouts.drain ?? DRAIN_TIMEOUT;
    this.#exchange = this.#createExchange(options);
    this.#listener = new Listener({
      ...listen,
      codec: lineCodecWithin(options.limits),
      refusal: errorLine,
      farewell,
    }, () => this.#watch.changed());
    // Not awaited: the caller gets this promise as `finished`.
    void this.#listener.serveWith((connection) => this.#exchange.serve(connection));
    closeOnAbort(this, signal);
  }

  #createExchange(
    { limits = {}, timeouts = {}, access = {}, onEvent, ...options }: RelayServerOptions,
  ): Exchange {
    const { ack = ACK_TIMEOUT } = timeouts;
    return new Exchange({
      clock: this.#clock,
      router: {
        random: options.random ?? systemRandom,
        ackTimeout: ack,
        redeliver: options.redeliver ?? true,
        maxInFlight: limits.maxInFlight ?? 0,
        maxInFlightPerPeer: limits.maxInFlightPerPeer ?? 0,
        // Not from `random`, which may be predictable. No choice of a receiver depends on the seed.
        hashSeed: Math.floor(systemRandom() * 2 ** 32),
        ...(options.ackTimes === undefined ? {} : { ackTimes: options.ackTimes }),
      },
      halfClosedTimeout: ack > 0 ? ack : ACK_TIMEOUT,
      auth: access.auth,
      observer: options.observer ?? {},
      onJoined: (connection) => onEvent?.({ type: "joined", connection }),
      onServed: (connection) => this.#listener.served(connection),
      onFailed: (connection, cause) => this.#listener.failed(connection, cause),
      onChange: () => this.#watch.changed(),
    });
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
   * Resolves when everything is closed. Rejects if accepting failed permanently, or without `onError` with the first error
   * that it would have received. If nothing waits for it, that is an unhandled rejection, which ends the program: a
   * server that accepts no connections must not go unnoticed.
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
    return this.#exchange.unsettledByConnection();
  }

  /** Returns the counters of the server. */
  stats(): RelayServerStats {
    return { ...this.#listener.stats(), ...this.#exchange.stats(), unsettled: this.#unsettled };
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
    await this.#exchange.join(bus, options);
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
    this.#exchange.setLimits({
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
      ...(maxInFlightPerPeer === undefined ? {} : { maxInFlightPerPeer }),
    });
  }

  /**
   * Stops accepting permanently, notifies every peer, gives pending messages four fifths of `timeouts.drain` to get their
   * oks, and closes every connection. Connections that are still open after `timeouts.drain` are aborted. For the first 40 %
   * of it, new messages are taken, because they may be on their way; later ones are answered with an error, or a peer that
   * keeps sending would keep the server from ending.
   */
  async shutdown(): Promise<void> {
    this.#listener.stopAccepting();
    this.#exchange.drain();
    const since = this.#clock.now();
    const notice = errorLine(`Server is draining: connections end within ${this.#drainTimeout} ms`);
    for (const connection of this.#listener.connections) connection.send(notice);
    const late = new AbortController();
    const timers = [
      this.#clock.after(this.#drainTimeout * TAKE_SHARE, () => this.#exchange.refuse("server is draining")),
      this.#clock.after(this.#drainTimeout * SETTLE_SHARE, () => late.abort()),
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
    await this.#exchange.close();
  }

  /** Closes everything immediately. */
  async close(): Promise<void> {
    this.#noteUnsettled();
    await this.#listener.close();
    await this.#exchange.close();
  }

  /** Calls {@linkcode RelayServer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Counts the messages that closing will drop. Called twice if a shutdown is cut short. */
  #noteUnsettled(): void {
    this.#unsettled = Math.max(this.#unsettled, this.#exchange.stats().pending);
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
