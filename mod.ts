/**
 * okline: sockets of lines for Deno, and a relay that proves delivery.
 *
 * This module has everything a program needs; `@okline/okline/socket`, `/relay` and `/protocol` have the parts.
 *
 * @example An echo server and a client for it
 * ```ts
 * import { connect, listen } from "@okline/okline";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen({ port: 0 });
 * server.serve(async (peer) => {
 *   for await (const line of peer) peer.send(line);
 * });
 *
 * await using client = await connect({ port: server.port });
 * client.send("hello");
 * for await (const line of client) {
 *   assertEquals(line, "hello");
 *   break;
 * }
 * ```
 *
 * @module
 */
export * from "./protocol.ts";
export * from "./relay/mod.ts";
export * from "./socket/mod.ts";
