/** Options and counters of a listener. @module */
import type { AcceptStats } from "./acceptor.ts";
import type { Codec } from "../codecs/codec.ts";
import type { ConnectionLimits, ConnectionOptions, LineLimits } from "../connection/options.ts";
import type { Connection } from "../connection.ts";
import type { ConnectionCounts, Refusal } from "./connection_set.ts";
import type { ListenerHooks } from "./event.ts";
import type { Network, NetworkLayer } from "../network.ts";
import type { Clock } from "../../internal/clock.ts";

/** Limits of a listener, and of each of its connections. */
export interface ListenLimits extends ConnectionLimits {
  /** Limit of open connections; 0 disables. Peers over it receive the `refusal` and are closed. Default 0. */
  maxConnections?: number;
  /** Limit of open connections for each remote address; 0 disables. Default 0. */
  maxConnectionsPerIp?: number;
  /**
   * What happens to a peer over `maxConnections`: it is refused, or accepting pauses until there is room. Peers then wait:
   * one for each bound address, and the others in the kernel's queue. Default `"refuse"`.
   */
  whenFull?: "refuse" | "wait";
  /** Limit of peers accepted per second; 0 disables. More peers wait in the kernel's queue. Default 0. */
  maxAcceptRate?: number;
}

/** Limits of a listener that exchanges lines. */
export interface LineListenLimits extends ListenLimits, LineLimits {}

/** Decides which peers may connect. */
export interface ListenAccess {
  /** Returns whether a peer with this IP address may connect. Others receive the `refusal` and are closed. Default: all may. */
  mayConnect?: (address: string) => boolean;
}

/** The addresses to listen on, limits, and hooks; the rest is as in {@linkcode ConnectionOptions}. */
export interface ListenOptions<Frame = string>
  extends
    Omit<ConnectionOptions<Frame>, "codec" | "clock" | "limits" | "onClosed">,
    ListenerHooks<Connection<Frame>> {
  /** Addresses to bind, all on one port. Default `["127.0.0.1"]`. */
  hostnames?: readonly string[];
  /** Addresses to bind as well if possible. Default none. */
  tryHostnames?: readonly string[];
  /** Port; with 0, the OS picks one. Default 0. */
  port?: number;
  /** Share the port with other processes that also ask for it. Default `false`. */
  reusePort?: boolean;
  /** Limits of accepting, and of each connection. */
  limits?: ListenLimits;
  /** Decides which peers may connect. */
  access?: ListenAccess;
  /** Returns the last frame for a refused peer. Default: none. */
  refusal?: (why: string, limit: Refusal["limit"]) => Frame;
  /** Closes the listener and its connections when it aborts, like `close`. */
  signal?: AbortSignal;
  /** TLS for every connection: a `ServerTls` of `@okline/okline/tls`. Default: none. */
  tls?: NetworkLayer;
  /** The network, below `tls`. Default: TCP sockets of the OS. */
  network?: Network;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

/** Options for {@linkcode listen} for lines. */
export interface LineListenOptions extends ListenOptions<string> {
  /** Absent, because the frames are lines. */
  codec?: undefined;
  /** Limits of accepting, and of each connection and its lines. */
  limits?: LineListenLimits;
}

/** Options for {@linkcode listen} for frames of another codec. */
export interface FrameListenOptions<Frame> extends ListenOptions<Frame> {
  /** The codec that makes frames of bytes. */
  codec: Codec<Frame>;
}

/** Counters of a listener. */
export interface ListenerStats extends AcceptStats, ConnectionCounts {
  /** Whether accepting is suspended. */
  readonly suspended: boolean;
  /** Accepted peers that wait for room, if `whenFull` is `"wait"`. */
  readonly waiting: number;
}
