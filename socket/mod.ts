/**
 * Sockets that exchange lines or other frames: `listen`, `connect`, and their parts.
 *
 * @module
 */
export { bytesCodec } from "./codecs/bytes_codec.ts";
export * from "./codecs/codec.ts";
export { delimiterCodec, type DelimiterOptions } from "./codecs/delimiter_codec.ts";
export { fixedSizeCodec } from "./codecs/fixed_size_codec.ts";
export { type JsonValue, ndjsonCodec } from "./codecs/ndjson_codec.ts";
export { respCodec, type RespOptions } from "./codecs/resp_codec.ts";
export { RespError, type RespValue } from "./codecs/resp_value.ts";
export {
  webSocketCodec,
  type WebSocketControl,
  type WebSocketFrame,
  type WebSocketOptions,
  type WebSocketRequest,
  type WebSocketResponse,
} from "./codecs/web_socket_codec.ts";
export { Connection } from "./connection.ts";
export * from "./connection/options.ts";
export {
  connect,
  type ConnectOptions,
  type ConnectTimeouts,
  type Dial,
  type DialTimeouts,
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
} from "./udp.ts";
export {
  CLOSED_BY_OPERATOR,
  type CloseReason,
  type CloseType,
  ConnectError,
  ConnectionClosedError,
  describeCloseReason,
  describeToPeer,
  DRAINED,
  FramingError,
  type FramingErrorCode,
  TlsError,
} from "./errors.ts";
export {
  type LengthPrefix,
  lengthPrefixCodec,
  type LengthPrefixOptions,
} from "./codecs/length_prefix_codec.ts";
export { Line, type LineSink } from "./codecs/line.ts";
export { lineCodec } from "./codecs/line_codec.ts";
export { DEFAULT_MAX_LINE, LineDecoder } from "./codecs/line_decoder.ts";
export { LineStream, type LineStreamOptions } from "./codecs/line_stream.ts";
export { type CodecOptions, type TcpConnectionInfo } from "./callbacks/types.ts";
export {
  type FrameListenOptions,
  type Handler,
  type LineListenOptions,
  listen,
  Listener,
  type ListenerStats,
  type ListenOptions,
} from "./listen.ts";
export type { LineListenLimits, ListenAccess, ListenLimits } from "./listener/options.ts";
export type { ListenerEvent, ListenerHooks } from "./listener/event.ts";
export type { AcceptStats } from "./listener/acceptor.ts";
export type { ConnectionCounts, Refusal } from "./listener/connection_set.ts";
export * from "./network.ts";
export { systemClock, systemNetwork, systemRandom } from "./tcp.ts";
export { TcpServer, type TcpServerCallbacks, type TcpServerOptions } from "./callbacks/tcp_server.ts";
export {
  type ReconnectOptions,
  TcpSocket,
  type TcpSocketCallbacks,
  type TcpSocketOptions,
} from "./callbacks/tcp_socket.ts";
export type { QueuedBytes } from "./connection/writer.ts";
export type { Clock, Random, Timer } from "../internal/clock.ts";
export { Watch } from "../internal/watch.ts";
