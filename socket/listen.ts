/** Listens for connections, of lines or of other frames. @module */
import { lineCodecWithin } from "./codecs/line_codec.ts";
import { Listener } from "./listener.ts";
import type { FrameListenOptions, LineListenOptions } from "./listener/options.ts";

export { Listener } from "./listener.ts";
export type { Handler } from "./listener/serve.ts";
export type {
  FrameListenOptions,
  LineListenOptions,
  ListenerStats,
  ListenOptions,
} from "./listener/options.ts";

/**
 * Listens for connections of lines.
 *
 * A peer that is refused, or closed because of its input, a timeout, or a shutdown, gets no reason unless `refusal` and
 * `farewell` return one: the protocol decides how it is written. `farewell: describeToPeer` sends each reason as a line.
 *
 * @returns The listener, already bound: its `port` is known.
 * @throws {Deno.errors.AddrInUse} If the port is taken, and the other errors of `Deno.listen`.
 *
 * @example Lines
 * ```ts
 * import { connect, listen } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen();
 * const done = server.serve(async (peer) => {
 *   for await (const line of peer) peer.send(line);
 * });
 *
 * const client = await connect({ port: server.port });
 * client.send("hello");
 * for await (const line of client) {
 *   assertEquals(line, "hello");
 *   break;
 * }
 * assertEquals((await client.close()).type, "natural");
 * await server.close();
 * await done;
 * ```
 *
 * @example Limits, a token, and reasons for the peers
 * ```ts
 * import { authenticate, tokenCheck } from "@okline/okline/access";
 * import { connect, describeToPeer, listen } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen({
 *   limits: { maxLine: 64, maxConnections: 2 },
 *   timeouts: { idle: 60_000 },
 *   refusal: (why) => why,
 *   farewell: describeToPeer,
 * });
 * const isToken = tokenCheck("open sesame");
 * server.serve(async (peer) => {
 *   if (!await authenticate(peer, { isToken })) return;
 *   for await (const line of peer) peer.send(line);
 * });
 *
 * const { port } = server;
 * await using client = await connect({ port });
 * await using stranger = await connect({ port });
 * await using third = await connect({ port });
 * client.send("auth open sesame");
 * client.send("hello");
 * client.send("x".repeat(65));
 * for (const guess of ["one", "two", "three"]) stranger.send(`auth ${guess}`);
 *
 * assertEquals(await Array.fromAsync(client), ["hello", "Line is over the limit of 64 bytes"]);
 * assertEquals(await Array.fromAsync(stranger), [
 *   "error wrong token",
 *   "error wrong token",
 *   "unauthorized: wrong token",
 * ]);
 * assertEquals(await Array.fromAsync(third), ["busy: 2 connections are open"]);
 * ```
 */
export function listen(options?: LineListenOptions): Listener<string>;
/** Listens with another codec than lines. */
export function listen<Frame>(options: FrameListenOptions<Frame>): Listener<Frame>;
export function listen<Frame>(
  options: FrameListenOptions<Frame> | LineListenOptions = {},
): Listener<Frame> | Listener<string> {
  if (options.codec !== undefined) return new Listener(options);
  return new Listener({ ...options, codec: lineCodecWithin(options.limits) });
}
