/** Small systems on sockets, each a function that starts it. @module */
export {
  type BalanceEvent,
  type BalanceLimits,
  type BalanceOptions,
  BalanceService,
  type BalanceStats,
  type BalanceTimeouts,
  startBalance,
} from "./balance/service.ts";
export { type BackendPoolStats, type BackendStats } from "./balance/backend_pool.ts";
export { POLICY_NAMES, type PolicyName } from "./balance/policy.ts";
export { type ChatLimits, type ChatOptions, type ChatStats, startChat } from "./chat/service.ts";
export { Accounts, formatAccount } from "./chat/accounts.ts";
export type { LoginAttempt } from "./chat/login_queue.ts";
export {
  type DatagramEchoOptions,
  type DatagramEchoStats,
  type DatagramLimits,
  type DatagramTimeouts,
  startDatagramEcho,
} from "./udp/echo.ts";
export { type EchoOptions, type EchoStats, startEcho } from "./echo/service.ts";
export type { FilesFrame } from "./files/codec.ts";
export { type FilesOptions, type FilesStats, startFiles } from "./files/service.ts";
export {
  type Download,
  FilesClient,
  type FilesClientOptions,
  type FilesClientTimeouts,
  FilesError,
  type ListOptions,
  type RemoteEntry,
  type RemoteState,
  type Upload,
} from "./files/client.ts";
export { downloadFile, type TransferOptions, type Transferred, uploadFile } from "./files/transfer.ts";
export { type HelloOptions, type HelloStats, startHello } from "./hello/service.ts";
export { type HttpRequestOptions, type HttpResponse, requestHttp } from "./http/client.ts";
export { HttpResponseError, type ResponseHead } from "../http/response_parser.ts";
export type { RequestLimits } from "../http/request_parser.ts";
export type { ItemStoreOptions } from "./http/item_store.ts";
export {
  type HttpLimits,
  type HttpOptions,
  type HttpStats,
  type HttpTimeouts,
  startHttp,
} from "./http/service.ts";
export { type ProxyOptions, type ProxyStats, startProxy } from "./proxy/service.ts";
export type { ProxyProtocolVersion } from "./proxy/proxy_protocol/header.ts";
export {
  type GatewayEvent,
  type GatewayOptions,
  type GatewayTimeouts,
  type Passed,
} from "./proxy/gateway.ts";
export {
  type EndedConnection,
  ListenerService,
  type Service,
  type ServiceAccess,
  type ServiceOptions,
} from "./service.ts";
