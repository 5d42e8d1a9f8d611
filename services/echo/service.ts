/** Lines back as they came. @module */
import { errorLine } from "../../protocol.ts";
import { DRAINED } from "../../socket/errors.ts";
import type { LineListenLimits } from "../../socket/listener/options.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { farewellLine, ListenerService, type ServiceOptions } from "../service.ts";
import { EchoPeer } from "./echo_peer.ts";

/** Options for {@linkcode startEcho}. */
export interface EchoOptions extends ServiceOptions {
  /** Limits of the listener, and of each connection and its lines. */
  limits?: LineListenLimits;
}

/** Counters of an echo service. */
export interface EchoStats extends ListenerStats {
  /** Lines sent back so far. */
  readonly messages: number;
}

/**
 * Starts an echo service. A client that does not read is not read from either.
 *
 * @returns The service, listening.
 * @throws As {@linkcode listen} does.
 *
 * @example
 * ```ts
 * import { startEcho } from "@okline/okline/services";
 * import { connect } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startEcho();
 * await using client = await connect({ port: server.port });
 * client.send("hello");
 * assertEquals((await client[Symbol.asyncIterator]().next()).value, "hello");
 * ```
 */
export function startEcho(options: EchoOptions = {}): ListenerService<string, EchoStats> {
  const count = { messages: 0 };
  const listener = listen({ ...options, refusal: errorLine, farewell: farewellLine });
  return new ListenerService(listener, async (connection, draining) => {
    using _ = draining.whenBegun(connection, () => void connection.close(DRAINED));
    await EchoPeer.serve(connection, count);
  }, { ...options, stats: (stats) => ({ ...stats, ...count }) });
}
