/** Options, observer, and result of a relay client. @module */
import type { ProtocolError } from "../protocol.ts";
import type { BackOff } from "../internal/back_off.ts";
import type { Random } from "../internal/clock.ts";
import type { LineConnectOptions } from "../socket/connect.ts";
import type { Connection } from "../socket/connection.ts";
import type { ConnectionTimeouts, LineLimits } from "../socket/connection/options.ts";
import type { CloseReason, ConnectError } from "../socket/errors.ts";

/** The time that a client holds each message before it answers. */
export interface ReplyDelay {
  /** Returns the delay for a message in ms. */
  draw(text: string): number;
  /** The longest delay that `draw` returns, in ms. */
  readonly longest: number;
}

/** Receives everything that a client does, for histories and tests. Must not throw. */
export interface RelayClientObserver {
  /** An attempt begins; `attempt` counts from 1. */
  dialing?(attempt: number): void;
  /** A connection is open. */
  connected?(connection: Connection): void;
  /** Connecting failed. */
  notConnected?(error: ConnectError): void;
  /** The message was queued for the server. */
  sent?(connection: Connection): void;
  /** A message arrived. */
  received?(connection: Connection, text: string): void;
  /** A message was answered `heldMs` after it arrived; its reply delay was `delayMs`. */
  answered?(connection: Connection, text: string, held: { heldMs: number; delayMs: number }): void;
  /** An ok arrived. `own` is true for the first ok for the message of this client. */
  acknowledged?(connection: Connection, text: string, own: boolean): void;
  /** The server reported an error, or sent an invalid line. */
  complained?(connection: Connection, error: string | ProtocolError): void;
  /** A connection has closed. */
  closed?(connection: Connection, reason: CloseReason): void;
}

/** Limits of a relay client. */
export interface RelayClientLimits extends LineLimits {
  /** Attempts to get the ok, at least 1. Default unlimited. */
  maxAttempts?: number;
}

/** Timeouts of a relay client, in ms. */
export interface RelayClientTimeouts extends ConnectionTimeouts {
  /** Maximum time until a connection is open. Default: as `ack`. */
  connect?: number;
  /** Maximum time from then until the ok has come. Default 10,000. */
  ack?: number;
  /**
   * Once the own ok has come, messages whose reply is due within this time, from then or from when they come, are still
   * answered; 0 closes immediately. In all, the client stays no longer than `ack` or this, whichever is more. Default: the
   * longest reply delay, so that no message is left for redelivery.
   */
  linger?: number;
}

/** Options for {@linkcode runRelayClient}: the server, the message, and how long to try. */
export interface RelayClientOptions extends Omit<LineConnectOptions, "signal" | "limits" | "timeouts"> {
  /** The message. */
  text: string;
  /** The token to present first. Default: none. */
  token?: string;
  /** Limits of the client and its connections. */
  limits?: RelayClientLimits;
  /** Timeouts of the client and its connections. */
  timeouts?: RelayClientTimeouts;
  /** Draws the reply delays. Default: no delay. */
  replyDelay?: ReplyDelay;
  /** Limits of the delays between attempts. */
  backOff?: BackOff;
  /** Source of random delays. Default: the system's. */
  random?: Random;
  /** Receives the events of the client. */
  observer?: RelayClientObserver;
}

/** The result of a relay client. */
export interface RelayClientResult {
  /** Whether the message was acknowledged. */
  readonly acknowledged: boolean;
  /** Number of attempts made. */
  readonly attempts: number;
  /**
   * The reason for the end of the last connection: `unauthorized` if the server rejected the token. `undefined` if no
   * connection was ever open.
   */
  readonly closed: CloseReason | undefined;
  /** The error of the last attempt, if it got no ok. */
  readonly error: Error | undefined;
}
