/** The base of every service: a listener that finishes its work before it ends. @module */
import { errorLine } from "../protocol.ts";
import type { PeerAuth } from "../access/authenticate.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, describeToPeer } from "../socket/errors.ts";
import type { ConnectionTimeouts } from "../socket/connection/options.ts";
import type { ListenAccess, ListenLimits } from "../socket/listener/options.ts";
import type { ListenerHooks } from "../socket/listener/event.ts";
import type { Listener, ListenerStats, ListenOptions } from "../socket/listen.ts";
import type { Address } from "../socket/network.ts";
import { Draining } from "./draining.ts";

/** A connection that has ended, of any kind of frame. */
export type EndedConnection = Pick<Connection, "id" | "remote" | "stats">;

/** Options that all services take: where to listen, and the bounds of a connection. */
export interface ServiceOptions
  extends
    Omit<ListenOptions, "refusal" | "farewell" | "onEvent" | "onError">,
    ListenerHooks<EndedConnection> {}

/** Returns the last line of a line service for a peer, or `undefined` if the peer needs none. */
export function farewellLine(reason: CloseReason): string | undefined {
  const message = describeToPeer(reason);
  return message === undefined ? undefined : errorLine(message);
}

/** Decides which peers a line service serves. */
export interface ServiceAccess extends ListenAccess {
  /** Token that a peer must present in its first line. Default: none. */
  auth?: PeerAuth;
}

/** A running service. */
export interface Service<Stats extends object = object> extends AsyncDisposable {
  /** Bound addresses. */
  readonly addresses: readonly Address[];
  /** Bound port, the same at every address. */
  readonly port: number;
  /**
   * Resolves when everything is closed. Rejects if accepting failed permanently, or without `onError` with the first error
   * that it would have received. If nothing waits for it, that is an unhandled rejection, which ends the program: a
   * service that accepts no connections must not go unnoticed.
   */
  readonly finished: Promise<void>;
  /** Returns the metrics. */
  stats(): Stats;
  /** Stops accepting, finishes pending work, and closes. Connections that are still open after `timeouts.drain` are aborted. */
  shutdown(): Promise<void>;
  /** Closes everything now. */
  close(): Promise<void>;
}

/**
 * Serves one connection. When it returns, the connection is closed gracefully.
 *
 * @param draining Reports when the handler must end because the service drains.
 */
export type ServiceHandler<Frame> = (
  connection: Connection<Frame>,
  draining: Draining<Connection<Frame>>,
) => Promise<void>;

/** Receives the end of each connection that was opened: one call, when nothing more is done for it. */
export interface Served<Frame> {
  /** Closes the connection gracefully, if it is open. */
  served(connection: Connection<Frame>): void;
  /** Ends the connection as if a handler had thrown `cause`. */
  failed(connection: Connection<Frame>, cause: unknown): void;
}

/** Serves connections by calls instead of a promise for each. */
export interface ConnectionOpener<Frame> {
  /** Begins to serve a connection. */
  open(connection: Connection<Frame>, served: Served<Frame>): void;
}

/** Options for {@linkcode ListenerService}. */
export interface ListenerServiceOptions {
  /** Runs until the listener has closed, which aborts `signal`. `finished` waits for it. */
  readonly background?: (signal: AbortSignal) => Promise<void>;
}

/** A service made of a listener and a handler. */
export class ListenerService<Frame, Stats extends object = ListenerStats> implements Service<Stats> {
  /** Settles when everything is closed; see {@linkcode Service.finished}. */
  readonly finished: Promise<void>;
  readonly #listener: Listener<Frame>;
  readonly #stats: (stats: ListenerStats) => Stats;
  readonly #draining = new Draining<Connection<Frame>>();

  /** Serves the connections of a listener. */
  constructor(
    listener: Listener<Frame>,
    handler: ServiceHandler<Frame> | ConnectionOpener<Frame>,
    options: ListenerServiceOptions & { readonly stats: (stats: ListenerStats) => Stats },
  ) {
    this.#listener = listener;
    this.#stats = options.stats;
    this.finished = this.#run(handler, options.background);
  }

  /** Bound addresses. */
  get addresses(): readonly Address[] {
    return this.#listener.addresses;
  }

  /** Bound port, the same at every address. */
  get port(): number {
    return this.#listener.port;
  }

  /** The open connections. */
  get connections(): Iterable<Connection<Frame>> {
    return this.#listener.connections;
  }

  /** Returns the metrics. */
  stats(): Stats {
    return this.#stats(this.#listener.stats());
  }

  /** Waits until `holds` returns true for the stats of the listener; see {@linkcode Listener.until}. */
  until(
    holds: (stats: ListenerStats) => boolean,
    options?: { signal?: AbortSignal },
  ): Promise<ListenerStats> {
    return this.#listener.until(holds, options);
  }

  /** Stops accepting until {@linkcode ListenerService.resume}; see {@linkcode Listener.suspend}. */
  suspend(): void {
    this.#listener.suspend();
  }

  /** Accepts again. */
  resume(): void {
    this.#listener.resume();
  }

  /** Changes limits and timeouts while the service runs; see {@linkcode Listener.setLimits}. */
  setLimits(limits: ListenLimits, timeouts: ConnectionTimeouts = {}): void {
    this.#listener.setLimits(limits, timeouts);
  }

  /** Drains, then closes; see {@linkcode Service.shutdown}. */
  async shutdown(): Promise<void> {
    this.#draining.begin();
    // Both reject with the same error, which must not count as unhandled.
    await Promise.all([
      this.#listener.shutdown({ end: (connection) => this.#draining.end(connection) }),
      this.finished,
    ]);
  }

  /** Closes everything immediately. */
  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.finished]);
  }

  /** Closes everything immediately. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(
    handler: ServiceHandler<Frame> | ConnectionOpener<Frame>,
    background: ListenerServiceOptions["background"] = () => Promise.resolve(),
  ): Promise<void> {
    const ended = new AbortController();
    const listener = this.#listener;
    const served = typeof handler === "function"
      ? listener.serve((connection) => handler(connection, this.#draining))
      : listener.serveWith((connection) => handler.open(connection, listener));
    await Promise.all([served.finally(() => ended.abort()), background(ended.signal)]);
  }
}
