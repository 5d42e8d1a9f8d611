/** A TCP load balancer. @module */
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import type { ListenLimits } from "../../socket/listener/options.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import type { Address } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import { systemClock, systemRandom } from "../../socket/tcp.ts";
import { BackendPool, type BackendPoolStats } from "./backend_pool.ts";
import { Dialer } from "./dialer.ts";
import { createPolicy, type PolicyName } from "./policy.ts";
import {
  Gateway,
  type GatewayEvent,
  type GatewayOptions,
  type GatewayTimeouts,
  listenerOptions,
} from "../proxy/gateway.ts";
import { ListenerService } from "../service.ts";

/** Limits of a balancer. */
export interface BalanceLimits extends ListenLimits {
  /** Limit of connections per backend. 0 disables. Default 0. */
  maxPerBackend?: number;
  /** Limit of clients in the queue while no backend is available. More are closed. Default 1024. */
  maxQueue?: number;
}

/** Timeouts of a balancer, in ms. */
export interface BalanceTimeouts extends GatewayTimeouts {
  /** Maximum time in the queue. Default 10,000. */
  queue?: number;
}

/** An event of a balancer. */
export type BalanceEvent =
  | GatewayEvent
  /** A backend was declared dead, or is healthy again. Its name is `HOST:PORT`, as in the stats. */
  | { readonly type: "health"; readonly backend: string; readonly healthy: boolean };

/** Options for {@linkcode startBalance}. */
export interface BalanceOptions extends GatewayOptions {
  /** The backends. */
  to: readonly Address[];
  /** Policy that chooses a backend. Default `round-robin`. */
  policy?: PolicyName;
  /** Limits of the listener, of the backends, and of the queue. */
  limits?: BalanceLimits;
  /** Timeouts of clients and backends. `idle` counts bytes in both directions. */
  timeouts?: BalanceTimeouts;
  /** Time in ms between two health checks of a backend. Default 2000. */
  checkInterval?: number;
  /** Successful checks in a row after which a dead backend is healthy again. Default 2. */
  rise?: number;
  /** Failed checks or connects in a row after which a backend is dead. Default 3. */
  fall?: number;
  /** Receives the events of the listener, of connections that have ended, and of backends. */
  onEvent?: (event: BalanceEvent) => void;
  /** Random numbers for the policies. Default: those of the system. */
  random?: Random;
}

/** Metrics of a balancer. */
export interface BalanceStats extends ListenerStats, BackendPoolStats {}

/** A running balancer. Its backends can be drained one by one. */
export class BalanceService extends ListenerService<Uint8Array, BalanceStats> {
  readonly #pool: BackendPool;

  /** Use {@linkcode startBalance}. */
  constructor(options: BalanceOptions, clock: Clock) {
    const pool = new BackendPool(options.to, {
      ...options,
      ...options.limits,
      policy: createPolicy(options.policy ?? "round-robin", options.random ?? systemRandom),
    });
    const { onEvent } = options;
    const dialer = new Dialer(pool, {
      ...options,
      clock,
      onHealth: (backend, healthy) => onEvent?.({ type: "health", backend, healthy }),
    });
    const gateway = new Gateway({ ...options, clock }, {
      open: (source, receiver) => dialer.open(source, receiver),
      passed: (passed) => onEvent?.({ type: "passed", passed }),
    });
    const listener = listen({ ...listenerOptions(options), codec: rawCodec });
    super(listener, gateway, {
      ...options,
      stats: (stats) => ({ ...stats, ...pool.stats() }),
      background: (signal) => dialer.checkAll(signal),
    });
    this.#pool = pool;
  }

  /**
   * Gives a backend no new connections. Its open ones go on.
   *
   * @param name Name as in `stats().backends`: `127.0.0.1:8000`.
   * @throws {RangeError} If no backend has this name.
   */
  drainBackend(name: string): void {
    this.#pool.drain(name);
  }

  /** Gives a drained backend connections again. @throws {RangeError} If no backend has this name. */
  restoreBackend(name: string): void {
    this.#pool.restore(name);
  }
}

/**
 * Starts a load balancer: each connection is passed on to one of several backends. A backend that cannot be reached is
 * declared dead, and gets no clients until a health check succeeds.
 *
 * @returns The service, listening.
 * @throws {TypeError} If there is no backend, or one is given twice. Also throws what {@linkcode listen} throws.
 *
 * @example
 * ```ts
 * import { startBalance, startEcho } from "@okline/okline/services";
 * import { connect } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using one = startEcho();
 * await using two = startEcho();
 * const to = [one, two].map(({ port }) => ({ hostname: "127.0.0.1", port }));
 * await using balancer = startBalance({ to });
 * for (let count = 0; count < 4; count++) {
 *   await using client = await connect({ port: balancer.port });
 *   client.send("hello");
 *   assertEquals((await client[Symbol.asyncIterator]().next()).value, "hello");
 * }
 * assertEquals([one.stats().messages, two.stats().messages], [2, 2]);
 * ```
 */
export function startBalance(options: BalanceOptions): BalanceService {
  return new BalanceService(options, options.clock ?? systemClock);
}
