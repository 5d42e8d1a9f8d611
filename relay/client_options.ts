/** Options, observer, and result of a relay client. @module */
import type { ProtocolError } from "../protocol.ts";
import type { BackOff } from "../internal/back_off.ts";
import type { Random } from "../internal/clock.ts";
import type { LineConnectOptions } from "../socket/connect.ts";
import type { Connection } from "../socket/connection.ts";
import type { ConnectionTimeouts, LineLimits } from "../socket/connection_options.ts";
import type { CloseReason, ConnectError } from "../socket/errors.ts";

/** How long a client holds a message before it answers. */
export interface ReplyDelay {
  /** The delay for this message, ms. */
  draw(text: string): number;
  /** The longest that `draw` gives, ms. */
  readonly longest: number;
}

/** Sees all that a client does; for histories and tests. Must not throw. */
export interface RelayClientObserver {
  /** Dialing begins; `attempt` counts from 1. */
  dialing?(attempt: number): void;
  /** A connection is open. */
  connected?(connection: Connection): void;
  /** Dialing failed. */
  notConnected?(error: ConnectError): void;
  /** The message was queued for the server. */
  sent?(connection: Connection): void;
  /** A message came in to be answered. */
  received?(connection: Connection, text: string): void;
  /** It was answered, `heldMs` after it came; it was to be held for `delayMs`. */
  answered?(connection: Connection, text: string, held: { heldMs: number; delayMs: number }): void;
  /** An ok came in; `own` for the message of this client, the first time. */
  acknowledged?(connection: Connection, text: string, own: boolean): void;
  /** The server reported an error, or sent a line that is no frame. */
  complained?(connection: Connection, error: string | ProtocolError): void;
  /** A connection has ended. */
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

/** The message of a client, its server, and how long to try. */
export interface RelayClientOptions extends Omit<LineConnectOptions, "signal" | "limits" | "timeouts"> {
  /** The message. */
  text: string;
  /** Shown first, to a server that wants it. */
  token?: string;
  /** Limits of the client and its connections. */
  limits?: RelayClientLimits;
  /** Timeouts of the client and its connections. */
  timeouts?: RelayClientTimeouts;
  /** Default: no delay. */
  replyDelay?: ReplyDelay;
  /** Limits of the delays between attempts. */
  backOff?: BackOff;
  /** Source of random delays. Default: the system's. */
  random?: Random;
  /** Receives the events of the client. */
  observer?: RelayClientObserver;
}

/** How a client ended. */
export interface RelayClientResult {
  /** Whether the message was acknowledged. */
  readonly acknowledged: boolean;
  /** Number of attempts made. */
  readonly attempts: number;
  /** How the last connection ended, `unauthorized` where the server wanted another token; `undefined` when none ever stood. */
  readonly closed: CloseReason | undefined;
  /** Why the last attempt got no ok, where it got none. */
  readonly error: Error | undefined;
}
