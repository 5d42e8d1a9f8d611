/** Lines back as they came. @module */
import { errorLine } from "../../protocol.ts";
import type { Connection } from "../../socket/connection.ts";
import { DRAINED } from "../../socket/errors.ts";
import type { LineListenLimits } from "../../socket/listener/options.ts";
import { listen, type ListenerStats } from "../../socket/listen.ts";
import { farewellLine, ListenerService, type ServiceHandler, type ServiceOptions } from "../service.ts";

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
 * Starts an echo service.
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
  let messages = 0;
  const echo = async (peer: Connection): Promise<void> => {
    for await (const lines of peer.batches()) {
      messages += lines.length;
      let room = true;
      for (const line of lines) room = peer.send(line);
      // A peer that does not read is not read from either.
      if (!room) await peer.flushed();
    }
  };
  const handler: ServiceHandler<string> = async (peer, draining) => {
    using _ = draining.whenBegun(peer, () => void peer.close(DRAINED));
    await echo(peer);
  };
  const listener = listen({ ...options, refusal: errorLine, farewell: farewellLine });
  return new ListenerService(listener, handler, { ...options, stats: (stats) => ({ ...stats, messages }) });
}
