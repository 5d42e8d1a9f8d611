/**
 * Sockets on Linux's epoll by foreign functions: an optional network that is faster than Deno's own and can do more, as
 * resets and keepalive. It needs `--allow-ffi`, which is as much as all permissions.
 *
 * @module
 */
export type { EventLoopStats } from "./event_loop.ts";
export {
  type NativeBindOptions,
  type NativeNetwork,
  nativeNetwork,
  type NativeNetworkOptions,
} from "./network.ts";
export type { KeepAliveOptions, SocketOptions } from "./options.ts";
