/** Connections to the backends of a balancer. @module */
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectError } from "../../socket/errors.ts";
import type { Address, Network } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import { sleep } from "../../internal/sleep.ts";
import { CONNECT_TIMEOUT, type Upstream } from "../proxy/gateway.ts";
import type { Backend, BackendPool } from "./backend_pool.ts";

/** What a {@linkcode Dialler} needs besides its backends. */
export interface DiallerOptions {
  readonly clock: Clock;
  readonly network?: Network;
  /** Time in ms that one connect may take. Default 5000. */
  readonly connectTimeout?: number;
  /** Longest time in ms that a client waits for a backend. Default 10,000. */
  readonly queueTimeout?: number;
  /** Time in ms between two health checks of a backend. Default 2000. */
  readonly checkInterval?: number;
  /** Told when a backend is declared dead, and when it is back. */
  readonly onHealth?: (name: string, healthy: boolean) => void;
}

const QUEUE_TIMEOUT = 10_000;
const CHECK_INTERVAL = 2000;
// As for accepting: a descriptor that comes free may be had soon.
const EXHAUSTED_BACK_OFF = 100;

/** Connects to backends: for clients, and to see whether they are there. */
export class Dialler {
  readonly #pool: BackendPool;
  readonly #options: DiallerOptions;
  readonly #clock: Clock;

  constructor(pool: BackendPool, options: DiallerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Goes from backend to backend until one answers: none of them has seen anything of the client before. */
  async open(source: Address, signal: AbortSignal): Promise<Upstream> {
    const avoid = new Set<Backend>();
    const ms = this.#options.queueTimeout ?? QUEUE_TIMEOUT;
    const giveUp = new AbortController();
    using _ = follow(signal, giveUp);
    const timer = this.#clock.after(
      ms,
      () => giveUp.abort(new ConnectError("timeout", `No backend could be had within ${ms} ms`)),
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

  /** Checks the backends, each on its own, until the signal aborts. */
  async checkAll(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#pool.backends.map((backend) => this.#check(backend, signal)));
  }

  async #check(backend: Backend, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sleep(this.#options.checkInterval ?? CHECK_INTERVAL, this.#clock, signal);
        await using _ = await this.#dial(backend, signal);
        this.#report(backend, true);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ConnectError)) throw error;
        this.#failed(backend, error);
      }
    }
  }

  /** Dials a backend that was granted. Gives none, and the grant back, where it cannot be reached. */
  async #dialFor(backend: Backend, signal: AbortSignal): Promise<Connection<Uint8Array> | undefined> {
    let connection: Connection<Uint8Array> | undefined;
    try {
      connection = await this.#dial(backend, signal);
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

  /** A backend could not be reached; that this process had no descriptor for it says nothing of the backend. */
  #failed(backend: Backend, { code }: ConnectError): void {
    if (code !== "exhausted") this.#report(backend, false);
  }

  #report(backend: Backend, ok: boolean): void {
    if (this.#pool.report(backend, ok)) this.#options.onHealth?.(backend.name, ok);
  }

  #dial(backend: Backend, signal: AbortSignal): Promise<Connection<Uint8Array>> {
    const { connectTimeout = CONNECT_TIMEOUT, network } = this.#options;
    return connect({
      ...backend.address,
      ...(network ? { network } : {}),
      clock: this.#clock,
      codec: rawCodec,
      timeout: connectTimeout,
      signal,
    });
  }

  #acquire(
    want: { readonly source: string; readonly avoid: ReadonlySet<Backend> },
    signal: AbortSignal,
  ): Promise<Backend> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Backend>();
    const demand = {
      ...want,
      grant(backend: Backend) {
        signal.removeEventListener("abort", cancelled);
        resolve(backend);
      },
    };
    const cancelled = () => {
      this.#pool.cancel(demand);
      reject(signal.reason);
    };
    signal.addEventListener("abort", cancelled, { once: true });
    if (this.#pool.demand(demand) === "refused") {
      signal.removeEventListener("abort", cancelled);
      reject(new ConnectError("exhausted", "No backend can take a client, and too many wait already"));
    }
    return promise;
  }
}

/** Aborts `controller` when `signal` does, until disposed of. */
function follow(signal: AbortSignal, controller: AbortController): Disposable {
  const aborted = () => controller.abort(signal.reason);
  if (signal.aborted) aborted();
  else signal.addEventListener("abort", aborted, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", aborted) };
}
