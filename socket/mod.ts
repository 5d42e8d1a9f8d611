/**
 * Sockets of lines, or of any other frames: `listen`, `connect`, and what they stand on.
 *
 * @module
 */
export { bytesCodec } from "./bytes_codec.ts";
export * from "./codec.ts";
export { Connection, type ConnectionOptions, type ConnectionStats } from "./connection.ts";
export {
  connect,
  type ConnectOptions,
  type Dial,
  type FrameConnectOptions,
  type LineConnectOptions,
} from "./connect.ts";
export * from "./errors.ts";
export { type Fault, type Faults, faultyNetwork, type FaultyNetworkOptions } from "./faulty_network.ts";
export { type LengthPrefix, lengthPrefixCodec, type LengthPrefixOptions } from "./length_prefix_codec.ts";
export { DEFAULT_MAX_LINE, lineCodec, LineDecoder } from "./line_decoder.ts";
export {
  type FrameListenOptions,
  type Handler,
  type LineListenOptions,
  listen,
  Listener,
  type ListenerStats,
  type ListenOptions,
} from "./listener.ts";
export { MemoryNetwork, type MemoryNetworkOptions, type MemoryNetworkStats } from "./memory_network.ts";
export { MemoryListener } from "./memory_listener.ts";
export { MemorySocket } from "./memory_socket.ts";
export * from "./network.ts";
export { systemClock, systemNetwork, systemRandom } from "./system.ts";
export { VirtualClock } from "./virtual_clock.ts";
export { Watch } from "./watch.ts";
export type { Identity } from "./identity.ts";
export { type TokenCheck, tokenCheck } from "./token.ts";
export {
  type TlsClientOptions,
  TlsNetwork,
  type TlsOptions,
  type TlsServerOptions,
  type TlsVersion,
} from "./tls.ts";
export { type TlsSession, TlsTransport } from "./tls_transport.ts";
