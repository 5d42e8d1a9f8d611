/** What a listener is told, and what it tells. @module */
import type { AcceptStats } from "./acceptor.ts";
import type { Codec } from "./codecs/codec.ts";
import type { ConnectionLimits, ConnectionOptions, LineLimits } from "./connection_options.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionCounts, Refusal } from "./connection_set.ts";
import type { Address, Network } from "./network.ts";
import type { Clock } from "../internal/clock.ts";

/** Limits of a listener, and of each of its connections. */
export interface ListenLimits extends ConnectionLimits {
  /** Limit of open connections; 0 disables. Peers over it are told why and closed. Default 0. */
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
  /** Returns whether a peer with this IP address may connect; others are told so and closed. Default: all may. */
  mayConnect?: (address: string) => boolean;
}

/** The addresses to listen on, limits, and hooks; the rest is as in {@linkcode ConnectionOptions}. */
export interface ListenOptions<Frame = string>
  extends Omit<ConnectionOptions<Frame>, "id" | "codec" | "clock" | "limits"> {
  /** Addresses to bind, all on one port. Default `["127.0.0.1"]`. */
  hostnames?: readonly string[];
  /** Addresses to bind as well where the system allows it. Default none. */
  tryHostnames?: readonly string[];
  /** Told of each of `tryHostnames` that could not be bound, and what the system said. Must not throw. Default: it is left out without a word. */
  onNotBound?: (hostname: string, cause: unknown) => void;
  /** Port; 0 lets the system pick one. Default 0. */
  port?: number;
  /** Share the port with other processes that also ask for it. Default `false`. */
  reusePort?: boolean;
  /** Limits of accepting, and of each connection. */
  limits?: ListenLimits;
  /** Decides which peers may connect. */
  access?: ListenAccess;
  /**
   * Told when the process has no descriptor left, so that accepting pauses, and again, with `false`, when a peer is accepted
   * after five seconds without that.
   */
  onExhausted?: (exhausted: boolean) => void;
  /** Makes the frame that tells a refused peer why. Default: it is told nothing. */
  refusal?: (why: string, limit: Refusal["limit"]) => Frame;
  /** Told of each peer that is refused; `onClosed` is not, for it was never let in. */
  onRefused?: (remote: Address, refusal: Refusal) => void;
  /**
   * Told what a handler throws after its connection has ended, when `onClosed` has told why already: but for the
   * `ConnectionClosedError` of that connection, which is what a handler is to expect. Default: `closed` of the listener
   * rejects with the first, when all has ended.
   */
  onLateFailure?: (connection: Connection<Frame>, error: Error) => void;
  /**
   * Receives errors that `mayConnect`, `refusal`, `onRefused`, and `onClosed` throw. They affect no other connection; a peer
   * whose `mayConnect` throws is refused. Default: `finished` rejects with the first of them once everything is closed.
   */
  onHookError?: (error: Error) => void;
  /** Called whenever `until` looks again, for who watches more than the listener. */
  onChanged?: () => void;
  /** The network. Default: TCP sockets of the OS. */
  network?: Network;
  /** The clock. Default: the system clock. */
  clock?: Clock;
}

/** Options of {@linkcode listen} for lines. */
export interface LineListenOptions extends ListenOptions<string> {
  /** Not set: the frames are lines. */
  codec?: undefined;
  /** Limits of accepting, and of each connection and its lines. */
  limits?: LineListenLimits;
}

/** Options of {@linkcode listen} for frames of another codec. */
export interface FrameListenOptions<Frame> extends ListenOptions<Frame> {
  /** The codec that makes frames of bytes. */
  codec: Codec<Frame>;
}

/** What a listener has seen. */
export interface ListenerStats extends AcceptStats, ConnectionCounts {
  /** Whether accepting is suspended. */
  readonly suspended: boolean;
  /** Accepted peers that wait for room, where they may. */
  readonly waiting: number;
}
