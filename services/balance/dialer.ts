/** Connections of a balancer to its backends: for clients, and for health checks. @module */
import { ConnectError } from "../../socket/errors.ts";
import type { Address } from "../../socket/network.ts";
import { sleep } from "../../internal/sleep.ts";
import { Connector, type ConnectorOptions } from "../proxy/connector.ts";
import { formatOwnHeader } from "../proxy/proxy_protocol/format.ts";
import type { ProxyProtocolVersion } from "../proxy/proxy_protocol/header.ts";
import type { PendingUpstream, UpstreamReceiver } from "../proxy/upstream.ts";
import type { Backend, BackendPool } from "./backend_pool.ts";
import { ClientDial, type ClientDialContext } from "./client_dial.ts";

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
// A backend that does not answer a FIN must not delay the next check.
const CHECK_CLOSE_TIMEOUT = 1000;

/** Connects to backends, for clients and for health checks. */
export class Dialer {
  readonly #pool: BackendPool;
  readonly #options: DialerOptions;
  readonly #context: ClientDialContext;
  readonly #forChecks: Connector;

  constructor(pool: BackendPool, options: DialerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#context = {
      pool,
      connector: new Connector(options),
      clock: options.clock,
      timeout: options.timeouts?.queue ?? QUEUE_TIMEOUT,
      report: (backend, error) => this.#report(backend, error),
    };
    this.#forChecks = new Connector(options, CHECK_CLOSE_TIMEOUT);
  }

  /** Connects to a backend for the client at `source`. */
  open(source: Address, receiver: UpstreamReceiver): PendingUpstream {
    return new ClientDial(source, this.#context, receiver);
  }

  /** Checks all backends, each in its own loop, until the signal aborts. */
  async checkAll(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#pool.backends.map((backend) => this.#check(backend, signal)));
  }

  async #check(backend: Backend, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sleep(this.#options.checkInterval ?? CHECK_INTERVAL, this.#options.clock, signal);
        await this.#checkOnce(backend, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ConnectError)) throw error;
        this.#report(backend, error);
      }
    }
  }

  async #checkOnce(backend: Backend, signal: AbortSignal): Promise<void> {
    const { proxyOut } = this.#options;
    await using connection = await this.#forChecks.connect(backend.address, signal);
    this.#report(backend, undefined);
    if (proxyOut === undefined) return;
    connection.send(formatOwnHeader(proxyOut, { source: connection.local, destination: connection.remote }));
  }

  /** Reports the result of a connect, unless this process was out of descriptors, which says nothing about the backend. */
  #report(backend: Backend, error: ConnectError | undefined): void {
    if (error?.code === "exhausted") return;
    const ok = error === undefined;
    if (this.#pool.report(backend, ok)) this.#options.onHealth?.(backend.name, ok);
  }
}
