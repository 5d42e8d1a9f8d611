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
