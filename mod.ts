/**
 * TCP line protocols for Deno: sockets of frames, and a relay that proves delivery.
 *
 * This module has the names to begin with. The subpaths have the rest: `@okline/okline/socket` more codecs, UDP, and
 * callbacks; `/relay` the router and clusters; `/tls`, `/access`, `/services`, and `/testing`, a network in memory.
 *
 * @example An echo server and its client
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
export { decodeFrame, encodeFrame, type Frame, ProtocolError } from "./protocol.ts";
export {
  type RelayClientOptions,
  type RelayClientResult,
  RelayServer,
  type RelayServerOptions,
  runRelayClient,
  startRelay,
} from "./relay/mod.ts";
export {
  bytesCodec,
  type CloseReason,
  type Codec,
  connect,
  ConnectError,
  Connection,
  ConnectionClosedError,
  type FrameConnectOptions,
  type FrameListenOptions,
  FramingError,
  lengthPrefixCodec,
  lineCodec,
  type LineConnectOptions,
  type LineListenOptions,
  LineStream,
  listen,
  Listener,
  TlsError,
} from "./socket/mod.ts";
