/** Finding a backend for a client of a balancer. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import type { ConnectionReceiver, ConnectRequest } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectError } from "../../socket/errors.ts";
import type { Address } from "../../socket/network.ts";
import type { Connector } from "../proxy/connector.ts";
import type { PendingUpstream, UpstreamReceiver } from "../proxy/upstream.ts";
import type { Backend, BackendPool, Demand } from "./backend_pool.ts";

/** The parts of each {@linkcode ClientDial} of a balancer. */
export interface ClientDialContext {
  readonly pool: BackendPool;
  readonly connector: Connector;
  readonly clock: Clock;
  /** Longest time in ms without a backend. */
  readonly timeout: number;
  /** Receives the result of each connect. */
  report(backend: Backend, error: ConnectError | undefined): void;
}

// As in the accept loop: a descriptor may be closed soon.
const EXHAUSTED_BACK_OFF = 100;
const NONE: ReadonlySet<Backend> = new Set();

/** Connects to a backend for one client. When one cannot be reached, tries the next: no backend has received a byte yet. */
export class ClientDial implements Demand, ConnectionReceiver<Uint8Array>, PendingUpstream {
  readonly source: string;
  avoid: ReadonlySet<Backend> = NONE;
  readonly #context: ClientDialContext;
  readonly #receiver: UpstreamReceiver;
  readonly #late: Timer;
  #backend: Backend | undefined;
  #request: ConnectRequest<Uint8Array> | undefined;
  #backOff: Timer | undefined;
  #over = false;

  /** Begins to look for a backend. */
  constructor({ hostname }: Address, context: ClientDialContext, receiver: UpstreamReceiver) {
    const { clock, timeout } = context;
    this.source = hostname;
    this.#context = context;
    this.#receiver = receiver;
    this.#late = clock.after(
      timeout,
      () => this.#giveUp(new ConnectError("timeout", `No backend was available within ${timeout} ms`)),
    );
    this.#demand();
  }

  /** Called by the pool. */
  grant(backend: Backend): void {
    this.#backend = backend;
    this.#request = this.#context.connector.request(backend.address, this);
  }

  /** Called by the request. */
  opened(connection: Connection<Uint8Array>): void {
    const { pool } = this.#context;
    const backend = this.#backend!;
    try {
      this.#context.report(backend, undefined);
    } catch (error) {
      connection.abort();
      return this.#giveUp(error);
    }
    this.#finish();
    this.#receiver.connected(connection, () => pool.release(backend));
  }

  /** Called by the request. */
  notOpened(error: unknown): void {
    // Later, because a connect may fail within the call that grants a backend to the next client in the queue.
    if (!this.#over) queueMicrotask(() => this.#tryNext(error));
  }

  cancel(): void {
    if (!this.#finish()) return;
    this.#context.pool.cancel(this);
    this.#request?.cancel(undefined);
    this.#release();
  }

  #tryNext(error: unknown): void {
    if (this.#over) return;
    const backend = this.#backend!;
    this.#release();
    if (!(error instanceof ConnectError)) return this.#giveUp(error);
    this.avoid = new Set([...this.avoid, backend]);
    try {
      this.#context.report(backend, error);
    } catch (cause) {
      return this.#giveUp(cause);
    }
    if (error.code !== "exhausted") return this.#demand();
    this.#backOff = this.#context.clock.after(EXHAUSTED_BACK_OFF, () => this.#demand());
  }

  #demand(): void {
    try {
      if (this.#context.pool.demand(this) === "refused") {
        this.#giveUp(new ConnectError("exhausted", "No backend is available, and the queue is full"));
      }
    } catch (error) {
      this.#giveUp(error); // The policy threw.
    }
  }

  #giveUp(error: unknown): void {
    if (this.#over) return;
    this.cancel();
    this.#receiver.notConnected(error);
  }

  #release(): void {
    const backend = this.#backend;
    this.#backend = undefined;
    if (backend !== undefined) this.#context.pool.release(backend);
  }

  /** Returns `false` if it has ended before. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#late.cancel();
    this.#backOff?.cancel();
    return true;
  }
}
