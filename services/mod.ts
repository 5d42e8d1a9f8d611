/** Small systems on sockets, each a function that starts it. @module */
export { type BalanceOptions, BalanceService, type BalanceStats, startBalance } from "./balance.ts";
export { type BackendPoolStats, type BackendStats } from "./balance/backend_pool.ts";
export { POLICY_NAMES, type PolicyName } from "./balance/policy.ts";
export { type ChatOptions, type ChatStats, startChat } from "./chat.ts";
export { Accounts, formatAccount } from "./chat/accounts.ts";
export { type EchoOptions, type EchoStats, startEcho } from "./echo.ts";
export { type FilesOptions, type FilesStats, startFiles } from "./files.ts";
export { type HelloOptions, type HelloStats, startHello } from "./hello.ts";
export { type HttpOptions, type HttpStats, startHttp } from "./http.ts";
export { type ProxyOptions, type ProxyStats, startProxy } from "./proxy.ts";
export { type GatewayOptions, type Passed } from "./proxy/gateway.ts";
export { ListenerService, type Service, type ServiceOptions } from "./service.ts";
