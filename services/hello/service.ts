/** A service that answers any request with Hello World after a delay. @module */
import { rawCodec } from "../../socket/codecs/raw_codec.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { systemClock } from "../../socket/tcp.ts";
import { refusalResponse } from "../http/refusal.ts";
import { ListenerService, type ServiceOptions } from "../service.ts";
import { HelloClient, type HelloState } from "./hello_client.ts";
import { Greeting } from "./response.ts";

/** Options of {@linkcode startHello}. */
export interface HelloOptions extends ServiceOptions {
  /** Time in ms from the request to the response. Default 4000. */
  delay?: number;
}

/** Counters of a hello service. */
export interface HelloStats extends ListenerStats {
  /** Clients whose delay runs. */
  readonly delayed: number;
}

const DELAY = 4000;

/**
 * Starts a service that answers the first bytes of each connection, whatever they are unless TLS, with an HTTP response
 * that says `Hello World!`, and closes. Waiting clients cost nothing but their sockets.
 *
 * @returns The service, listening.
 * @throws As {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { startHello } from "@okline/okline/services";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startHello({ delay: 0 });
 * const response = await fetch(`http://127.0.0.1:${server.port}/`);
 * assertEquals(await response.text(), "Hello World!\n");
 * ```
 */
export function startHello(options: HelloOptions = {}): ListenerService<Uint8Array, HelloStats> {
  const { delay = DELAY, clock = systemClock } = options;
  const state: HelloState = { clock, delay, greeting: new Greeting(), delayed: 0 };
  const listener = listen({ ...options, codec: rawCodec, refusal: refusalResponse });
  return new ListenerService(listener, (connection) => HelloClient.serve(connection, state), {
    ...options,
    stats: (stats) => ({ ...stats, delayed: state.delayed }),
  });
}
