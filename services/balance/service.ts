/** A TCP load balancer. @module */
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { listen, type ListenerStats } from "../../socket/listener.ts";
import type { Address } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import { systemClock, systemRandom } from "../../socket/tcp.ts";
import { BackendPool, type BackendPoolStats } from "./backend_pool.ts";
import { Dialer } from "./dialer.ts";
import { createPolicy, type PolicyName } from "./policy.ts";
import { backendDial, Gateway, type GatewayOptions, listenerOptions } from "../proxy/gateway.ts";
import { ListenerService } from "../service.ts";

/** Options of {@linkcode startBalance}. `idleTimeout` counts bytes either way. */
export interface BalanceOptions extends GatewayOptions {
  /** The backends. */
  to: readonly Address[];
  /** How one is chosen. Default `round-robin`. */
  policy?: PolicyName;
  /** Connections a backend may have; 0 for no limit. Default 0. */
  maxPerBackend?: number;
  /** Clients that may wait while no backend can take one; more are closed. Default 1024. */
  maxQueue?: number;
  /** Longest time in ms that a client waits for a backend. Default 10,000. */
  queueTimeout?: number;
  /** Time in ms between two health checks of a backend. Default 2000. */
  checkInterval?: number;
  /** Successful checks in a row that bring a dead backend to life. Default 2. */
  rise?: number;
  /** Failed checks or connects in a row that declare a backend dead. Default 3. */
  fall?: number;
  /** Told when a backend is declared dead, and when it is back. */
  onHealth?: (name: string, healthy: boolean) => void;
  random?: Random;
}

/** What a balancer counts. */
export interface BalanceStats extends ListenerStats, BackendPoolStats {}

/** A running balancer, whose backends may be drained one by one. */
export class BalanceService extends ListenerService<Uint8Array, BalanceStats> {
  readonly #pool: BackendPool;

  /** Use {@linkcode startBalance}. */
  constructor(options: BalanceOptions, clock: Clock) {
    const pool = new BackendPool(options.to, {
      ...options,
      policy: createPolicy(options.policy ?? "round-robin", options.random ?? systemRandom),
    });
    const dialer = new Dialer(pool, { ...options, ...backendDial(options), clock });
    const gateway = new Gateway({ ...options, clock }, (source, signal) => dialer.open(source, signal));
    // Without the listener's own idle timeout: that would count what the client sends alone.
    const listener = listen({ ...listenerOptions(options), idleTimeout: 0, codec: rawCodec });
    super(listener, (client) => gateway.serve(client), {
      ...options,
      stats: (stats) => ({ ...stats, ...pool.stats() }),
      background: (signal) => dialer.checkAll(signal),
    });
    this.#pool = pool;
  }

  /**
   * Gives a backend no new connections; those it has go on.
   *
   * @param name As in `stats().backends`: `127.0.0.1:8000`.
   * @throws {RangeError} If there is none of that name.
   */
  drainBackend(name: string): void {
    this.#pool.drain(name);
  }

  /** Gives a drained backend connections again. @throws {RangeError} If there is none of that name. */
  restoreBackend(name: string): void {
    this.#pool.restore(name);
  }
}

/**
 * Starts a load balancer: each connection is passed to one of several backends. A backend that cannot be reached is
 * declared dead, gets no more clients, and is looked at until it is back.
 *
 * @returns The service, listening.
 * @throws {TypeError} Without a backend, or with one given twice; and as {@linkcode listen} does.
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
 *   assertEquals((await client.lines().next()).value, "hello");
 * }
 * assertEquals([one.stats().messages, two.stats().messages], [2, 2]);
 * ```
 */
export function startBalance(options: BalanceOptions): BalanceService {
  return new BalanceService(options, options.clock ?? systemClock);
}
