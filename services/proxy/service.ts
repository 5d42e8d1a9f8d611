/** A TCP proxy to one backend. @module */
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import type { Address } from "../../socket/network.ts";
import { systemClock } from "../../socket/tcp.ts";
import { ListenerService } from "../service.ts";
import { BackendDial } from "./backend_dial.ts";
import { Connector } from "./connector.ts";
import { Gateway, type GatewayOptions, listenerOptions } from "./gateway.ts";

/** Options for {@linkcode startProxy}. */
export interface ProxyOptions extends GatewayOptions {
  /** The backend. */
  to: Address;
  /** Most connects to the backend per client. Default 3. */
  connectAttempts?: number;
  /** Time in ms before the second connect. It doubles with every connect. Default 100. */
  retryDelay?: number;
}

/** Metrics of a proxy. */
export interface ProxyStats extends ListenerStats {
  /** Bytes received from clients whose connection has ended. */
  readonly bytesFromClients: number;
  /** Bytes received from the backend for these clients. */
  readonly bytesFromBackends: number;
  /** Clients that reached no backend. */
  readonly unserved: number;
}

const CONNECT_ATTEMPTS = 3;
const RETRY_DELAY = 100;

/**
 * Starts a proxy: each connection is passed on to the backend, byte for byte, including half-closes and resets.
 *
 * @returns The service, listening.
 * @throws What {@linkcode listen} throws.
 *
 * @example
 * ```ts
 * import { startEcho, startProxy } from "@okline/okline/services";
 * import { connect } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using echo = startEcho();
 * await using proxy = startProxy({ to: { hostname: "127.0.0.1", port: echo.port } });
 * await using client = await connect({ port: proxy.port });
 * client.send("hello");
 * assertEquals((await client[Symbol.asyncIterator]().next()).value, "hello");
 * ```
 */
export function startProxy(options: ProxyOptions): ListenerService<Uint8Array, ProxyStats> {
  const { clock = systemClock, to, connectAttempts = CONNECT_ATTEMPTS, retryDelay = RETRY_DELAY } = options;
  const counted = { bytesFromClients: 0, bytesFromBackends: 0, unserved: 0 };
  const dial = {
    connector: new Connector({ ...options, clock }),
    clock,
    backend: to,
    attempts: connectAttempts,
    delay: retryDelay,
  };
  const gateway = new Gateway({ ...options, clock }, {
    open: (_source, receiver) => new BackendDial(dial, receiver),
    passed: (passed) => {
      counted.bytesFromClients += passed.bytesFromClient;
      counted.bytesFromBackends += passed.bytesFromBackend;
      if (!passed.backend) counted.unserved++;
      options.onEvent?.({ type: "passed", passed });
    },
  });
  const listener = listen({ ...listenerOptions(options), codec: rawCodec });
  return new ListenerService(listener, gateway, {
    ...options,
    stats: (stats) => ({ ...stats, ...counted }),
  });
}
