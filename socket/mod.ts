/**
 * Sockets of lines, or of any other frames: `listen`, `connect`, and what they stand on.
 *
 * @module
 */
export { bytesCodec } from "./bytes_codec.ts";
export * from "./codec.ts";
export { Connection } from "./connection.ts";
export * from "./connection_options.ts";
export {
  connect,
  type ConnectOptions,
  type Dial,
  type FrameConnectOptions,
  type LineConnectOptions,
} from "./connect.ts";
export {
  type AskOptions,
  type Datagram,
  type DatagramOptions,
  DatagramSocket,
  type DatagramStats,
  MAX_DATAGRAM,
} from "./datagram.ts";
export * from "./errors.ts";
export { type Fault, type Faults, faultyNetwork, type FaultyNetworkOptions } from "./faulty_network.ts";
export { type LengthPrefix, lengthPrefixCodec, type LengthPrefixOptions } from "./length_prefix_codec.ts";
export { DEFAULT_MAX_LINE, lineCodec, LineDecoder } from "./line_decoder.ts";
export { type CodecOptions, type TcpConnectionInfo } from "./events.ts";
export {
  type FrameListenOptions,
  type Handler,
  type LineListenOptions,
  listen,
  Listener,
  type ListenerStats,
  type ListenOptions,
} from "./listener.ts";
export type { Refusal } from "./connection_set.ts";
export { CountedClock } from "./counted_clock.ts";
export { MemoryNetwork, type MemoryNetworkOptions, type MemoryNetworkStats } from "./memory_network.ts";
export { MemoryListener } from "./memory_listener.ts";
export { MemorySocket } from "./memory_socket.ts";
export * from "./network.ts";
export { systemClock, systemNetwork, systemRandom } from "./system.ts";
export { TcpServer, type TcpServerCallbacks, type TcpServerOptions } from "./tcp_server.ts";
export {
  type ReconnectOptions,
  TcpSocket,
  type TcpSocketCallbacks,
  type TcpSocketOptions,
} from "./tcp_socket.ts";
export { VirtualClock } from "./virtual_clock.ts";
export { Watch } from "./watch.ts";
