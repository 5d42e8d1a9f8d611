/** Connections to the backends of a balancer. @module */
import type { Connection } from "../../socket/connection.ts";
import { ConnectError } from "../../socket/errors.ts";
import type { Address } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import { sleep } from "../../internal/sleep.ts";
import { Connector, type ConnectorOptions, whenGone } from "../proxy/connector.ts";
import type { Upstream } from "../proxy/gateway.ts";
import { formatOwnHeader } from "../proxy/proxy_protocol/format.ts";
import type { ProxyProtocolVersion } from "../proxy/proxy_protocol/header.ts";
import type { Backend, BackendPool } from "./backend_pool.ts";

/** Options for {@linkcode Dialer}. */
export interface DialerOptions extends ConnectorOptions {
  readonly timeouts?: ConnectorOptions["timeouts"] & {
    /** Longest time in ms in the queue. Default 10,000. */
    readonly queue?: number;
  };
  /** Time in ms between two health checks of a backend. Default 2000. */
  readonly checkInterval?: number;
  /** Version of the PROXY protocol that backends expect, also of health checks. Default: no header. */
  readonly proxyOut?: ProxyProtocolVersion;
  /** Called when a backend is declared dead, and when it is healthy again. */
  readonly onHealth?: (name: string, healthy: boolean) => void;
}

const QUEUE_TIMEOUT = 10_000;
const CHECK_INTERVAL = 2000;
// As in the accept loop: a descriptor may be closed soon.
const EXHAUSTED_BACK_OFF = 100;
// A backend that does not answer a FIN must not delay the next check.
const CHECK_CLOSE_TIMEOUT = 1000;

/** Connects to backends, for clients and for health checks. */
export class Dialer {
  readonly #pool: BackendPool;
  readonly #options: DialerOptions;
  readonly #clock: Clock;
  readonly #forClients: Connector;
  readonly #forChecks: Connector;

  constructor(pool: BackendPool, options: DialerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#clock = options.clock;
    this.#forClients = new Connector(options);
    this.#forChecks = new Connector(options, CHECK_CLOSE_TIMEOUT);
  }

  /**
   * Connects to a backend for a client. When one cannot be reached, tries the next: no backend has received a byte yet.
   *
   * @throws {ConnectError} If no backend is available in time, too many clients are queued already, or the client closes.
   */
  async open(source: Address, client: Connection<Uint8Array>): Promise<Upstream> {
    const avoid = new Set<Backend>();
    const ms = this.#options.timeouts?.queue ?? QUEUE_TIMEOUT;
    const giveUp = new AbortController();
    using _ = whenGone(client, (reason) => giveUp.abort(reason));
    const timer = this.#clock.after(
      ms,
      () => giveUp.abort(new ConnectError("timeout", `No backend was available within ${ms} ms`)),
    );
    try {
      for (;;) {
        const backend = await this.#acquire({ source: source.hostname, avoid }, giveUp.signal);
        const connection = await this.#dialFor(backend, giveUp.signal);
        if (connection !== undefined) return { connection, release: () => this.#pool.release(backend) };
        avoid.add(backend);
      }
    } finally {
      timer.cancel();
    }
  }

  /** Checks all backends, each in its own loop, until the signal aborts. */
  async checkAll(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#pool.backends.map((backend) => this.#check(backend, signal)));
  }

  async #check(backend: Backend, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sleep(this.#options.checkInterval ?? CHECK_INTERVAL, this.#clock, signal);
        await this.#checkOnce(backend, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ConnectError)) throw error;
        this.#failed(backend, error);
      }
    }
  }

  async #checkOnce(backend: Backend, signal: AbortSignal): Promise<void> {
    const { proxyOut } = this.#options;
    await using connection = await this.#forChecks.connect(backend.address, signal).opened;
    this.#report(backend, true);
    if (proxyOut === undefined) return;
    connection.send(formatOwnHeader(proxyOut, { source: connection.local, destination: connection.remote }));
  }

  /** Dials a backend that was granted. If it cannot be reached, releases it and returns `undefined`. */
  async #dialFor(backend: Backend, signal: AbortSignal): Promise<Connection<Uint8Array> | undefined> {
    let connection: Connection<Uint8Array> | undefined;
    try {
      connection = await this.#forClients.connect(backend.address, signal).opened;
      this.#report(backend, true);
      return connection;
    } catch (error) {
      connection?.abort();
      this.#pool.release(backend);
      if (signal.aborted || !(error instanceof ConnectError)) throw error;
      if (error.code === "exhausted") await sleep(EXHAUSTED_BACK_OFF, this.#clock, signal);
      this.#failed(backend, error);
      return undefined;
    }
  }

  /** Reports a failed connect, unless this process was out of descriptors, which says nothing about the backend. */
  #failed(backend: Backend, { code }: ConnectError): void {
    if (code !== "exhausted") this.#report(backend, false);
  }

  #report(backend: Backend, ok: boolean): void {
    if (this.#pool.report(backend, ok)) this.#options.onHealth?.(backend.name, ok);
  }

  #acquire(
    wanted: { readonly source: string; readonly avoid: ReadonlySet<Backend> },
    signal: AbortSignal,
  ): Promise<Backend> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Backend>();
    const demand = {
      ...wanted,
      grant(backend: Backend) {
        signal.removeEventListener("abort", canceled);
        resolve(backend);
      },
    };
    const canceled = () => {
      this.#pool.cancel(demand);
      reject(signal.reason);
    };
    signal.addEventListener("abort", canceled, { once: true });
    if (this.#pool.demand(demand) === "refused") {
      signal.removeEventListener("abort", canceled);
      reject(new ConnectError("exhausted", "No backend is available, and the queue is full"));
    }
    return promise;
  }
}
