/** The relay on sockets: a router behind a listener. @module */
import { errorLine } from "../protocol.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, FramingError } from "../socket/errors.ts";
import { type LineListenOptions, listen, type Listener, type ListenerStats } from "../socket/listener.ts";
import type { Address, Clock, Random, Timer } from "../socket/network.ts";
import { systemClock, systemRandom } from "../socket/system.ts";
import { Watch } from "../socket/watch.ts";
import { Router, type RouterPeer, type RouterStats } from "./router.ts";

/** Sees all that a relay server does; for histories and tests. Must not throw. */
export interface RelayObserver {
  opened?(connection: Connection): void;
  /** A line came in. */
  received?(connection: Connection, line: string): void;
  /** A line was queued for a peer. */
  sent?(connection: Connection, line: string): void;
  closed?(connection: Connection, reason: CloseReason): void;
}

/** What to listen on, and how to relay. */
export interface RelayServerOptions extends Omit<LineListenOptions, "refusal" | "onClosed"> {
  /** Time in ms after which a message without its ok is redelivered; 0 for never. Default 10,000. */
  ackTimeout?: number;
  /** Whether a message goes to another peer when its holder leaves or is silent. Default `true`. */
  redeliver?: boolean;
  random?: Random;
  observer?: RelayObserver;
}

/** The state of a relay server: of its sockets, of its router, and the timers that run. */
export interface RelayServerStats extends ListenerStats, RouterStats {
  readonly timers: number;
}

const ACK_TIMEOUT = 10_000;
const DRAIN_TIMEOUT = 10_000;

class Peer implements RouterPeer {
  slot = -1;
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }
}

/** A running relay. Made by {@linkcode startRelay}. */
export class RelayServer implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #router: Router<Peer>;
  readonly #clock: Clock;
  readonly #observer: RelayObserver;
  readonly #drainTimeout: number;
  readonly #watch = new Watch(() => this.stats());
  readonly #out: (peer: Peer, line: string) => void;
  #ackTimer: Timer | undefined;

  constructor(options: RelayServerOptions) {
    const { ackTimeout = ACK_TIMEOUT, redeliver = true, random = systemRandom, observer = {} } = options;
    this.#clock = options.clock ?? systemClock;
    this.#observer = observer;
    this.#drainTimeout = options.drainTimeout ?? DRAIN_TIMEOUT;
    this.#router = new Router({ random, ackTimeout, redeliver });
    this.#out = observer.sent === undefined
      ? (peer, line) => void peer.connection.send(line)
      : (peer, line) => {
        peer.connection.send(line);
        observer.sent?.(peer.connection, line);
      };
    this.#listener = listen({
      ...options,
      refusal: errorLine,
      onClosed: (connection, reason) => {
        observer.closed?.(connection, reason);
        this.#watch.changed();
      },
    });
    // Not lost: `closed` is the same promise.
    this.#listener.serve((connection) => this.#serve(connection)).catch(() => {});
  }

  /** Where it listens. */
  get addresses(): readonly Address[] {
    return this.#listener.addresses;
  }

  /** The port, the same at every address. */
  get port(): number {
    return this.#listener.port;
  }

  /** Settles when all is closed; rejects when accepting failed for good. */
  get closed(): Promise<void> {
    return this.#listener.closed;
  }

  stats(): RelayServerStats {
    return {
      ...this.#listener.stats(),
      ...this.#router.stats(),
      timers: this.#ackTimer === undefined ? 0 : 1,
    };
  }

  /** Waits until `holds` is true of the stats, and gives them; looks again after each read, connection and end. */
  until(
    holds: (stats: RelayServerStats) => boolean,
    options: { signal?: AbortSignal } = {},
  ): Promise<RelayServerStats> {
    return this.#watch.until(holds, options);
  }

  /** Stops accepting until {@linkcode RelayServer.resume}; see {@linkcode Listener.suspend}. */
  suspend(): void {
    this.#listener.suspend();
  }

  resume(): void {
    this.#listener.resume();
  }

  /** Stops accepting for good, gives the pending messages up to `drainTimeout` to get their oks, then ends every connection. */
  async drain(): Promise<void> {
    this.#listener.stopAccepting();
    const settled = new AbortController();
    const timer = this.#clock.after(this.#drainTimeout, () => settled.abort());
    try {
      await this.until((stats) => stats.pending === 0, { signal: settled.signal });
    } catch (error) {
      if (!settled.signal.aborted) throw error;
    } finally {
      timer.cancel();
    }
    await this.#listener.drain();
  }

  /** Closes everything now. */
  async close(): Promise<void> {
    await this.#listener.close();
  }

  /** As {@linkcode RelayServer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(connection: Connection): Promise<void> {
    const peer = new Peer(connection);
    this.#router.join(peer);
    this.#observer.opened?.(connection);
    this.#watch.changed();
    try {
      await connection.consume((lines) => {
        const now = this.#clock.now();
        for (const line of lines) this.#line(peer, line, now);
        this.#settle();
      });
    } catch (error) {
      if (error instanceof FramingError) connection.send(errorLine(error.message));
      throw error;
    } finally {
      this.#router.leave(peer, this.#clock.now(), this.#out);
      this.#settle();
    }
  }

  #line(peer: Peer, line: string, now: number): void {
    this.#observer.received?.(peer.connection, line);
    const verdict = this.#router.line(peer, line, now, this.#out);
    if (verdict.kind === "rejected") peer.connection.send(errorLine(verdict.reason));
  }

  /** After each change: one timer, for the first message that is due, and none while nothing is. */
  #settle(): void {
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
