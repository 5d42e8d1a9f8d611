/** Options, events, and counters of a relay server. @module */
import type { PeerAuth } from "../access/authenticate.ts";
import type { Random } from "../internal/clock.ts";
import type { DurationHistogram } from "../internal/duration_histogram.ts";
import type { Connection } from "../socket/connection.ts";
import type { ConnectionTimeouts } from "../socket/connection/options.ts";
import type {
  LineListenLimits,
  LineListenOptions,
  ListenAccess,
  ListenerStats,
} from "../socket/listener/options.ts";
import type { ListenerEvent } from "../socket/listener/event.ts";
import type { MembershipStats } from "./cluster/membership.ts";
import type { RouterStats } from "./router/router.ts";

/** An event of a relay server. */
export type RelayEvent =
  | ListenerEvent
  /** A connection takes part in the relay from now on: it was accepted, and has presented its token if one is needed. */
  | { readonly type: "joined"; readonly connection: Connection };

/**
 * Sees every line of a relay server, for tests. Must not throw. These are direct calls and not events, because a server
 * should not allocate an object for each message.
 */
export interface RelayObserver {
  /** A line was received. */
  received?(connection: Connection, line: string): void;
  /** A line was queued for a connection. */
  sent?(connection: Connection, line: string): void;
}

/** Limits of a relay server. */
export interface RelayLimits extends LineListenLimits {
  /** Limit of messages in flight. A message over it is answered with an error. 0 disables. Default 0. */
  maxInFlight?: number;
  /** Limit of messages in flight for each connection. 0 disables. Default 0. */
  maxInFlightPerPeer?: number;
}

/** Default of {@linkcode RelayTimeouts.ack}, in ms. */
export const ACK_TIMEOUT = 10_000;

/** Timeouts of a relay server, in ms. */
export interface RelayTimeouts extends ConnectionTimeouts {
  /** Time after which a message without its ok is redelivered; 0 disables. Default 10,000. */
  ack?: number;
}

/** Decides which peers may use a relay server. */
export interface RelayAccess extends ListenAccess {
  /** Token that a peer must present in its first line. Default: none. */
  auth?: PeerAuth;
}

/** Options for {@linkcode startRelay}. */
export interface RelayServerOptions extends Omit<LineListenOptions, "refusal" | "farewell" | "onEvent"> {
  /** Limits of the listener, of each connection, and of messages in flight. */
  limits?: RelayLimits;
  /** Timeouts of each connection and message. */
  timeouts?: RelayTimeouts;
  /** Decides which peers may connect, and what they must show. */
  access?: RelayAccess;
  /** Whether a message goes to another peer when its receiver closes or is silent. Default `true`. */
  redeliver?: boolean;
  /** Source of the random choice of receivers. Default: the system's. */
  random?: Random;
  /** Receives the events of the server. */
  onEvent?: (event: RelayEvent) => void;
  /** Sees every line. */
  observer?: RelayObserver;
  /** Records the time from each message to its ok. Default: not measured. */
  ackTimes?: DurationHistogram;
}

/** Counters of a relay server. */
export interface RelayServerStats extends ListenerStats, RouterStats {
  /** Pending timers. */
  readonly timers: number;
  /** Messages without an ok when a shutdown or close ended the connections. */
  readonly unsettled: number;
  /** Messages exchanged with other nodes of a cluster; absent outside one. */
  readonly bus?: MembershipStats;
}
