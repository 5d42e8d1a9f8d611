/** Options, counters, and peers of the router. Pure. @module */
import type { DurationHistogram } from "../../internal/duration_histogram.ts";
import type { Line } from "../../socket/codecs/line.ts";
import type { MessageLimit } from "./verdict.ts";

/** Sends a line, which it must not keep, to a peer. Must not call back into the router. */
export type Sink<Peer> = (peer: Peer, line: Line) => void;

/** Counters of a router. */
export interface RouterStats {
  /** Connections that get messages. */
  readonly active: number;
  /** Other nodes of the cluster. */
  readonly nodes: number;
  /** Different texts without an ok. */
  readonly pending: number;
  /** Messages that will be redelivered at their ack timeout. */
  readonly due: number;
  /** Messages received. */
  readonly messages: number;
  /** Messages settled by an ok. */
  readonly settled: number;
  /** Oks sent to origins. */
  readonly oks: number;
  /** Oks for texts that their sender does not hold. */
  readonly stray: number;
  /** Messages delivered again, because their holder left or was silent. */
  readonly redelivered: number;
  /** Messages returned to the node they came from, because there was no connection for them. */
  readonly returned: number;
  /** Oks of other nodes for texts that were settled already. */
  readonly late: number;
  /** Texts dropped because their last origin left. */
  readonly dropped: number;
  /** Error lines received. */
  readonly errors: number;
  /** Lines that are not frames of the protocol. */
  readonly rejected: number;
  /** Messages that were not delivered because of a limit. */
  readonly limited: number;
  /** The same by limit. */
  readonly limitedBy: Readonly<Record<MessageLimit, number>>;
}

/** Options for `Router`. */
export interface RouterOptions {
  /** Returns numbers uniform in [0, 1), which choose the receivers. */
  random: () => number;
  /** Time in ms after which a message without its ok goes to another peer; 0 disables. */
  ackTimeout: number;
  /** Whether a message goes to another peer when its holder leaves or is silent. Without it, it stays pending until its origins leave. */
  redeliver: boolean;
  /** Limit of messages in flight; 0 disables. Default 0. */
  maxInFlight?: number;
  /** Limit of messages in flight for each peer; 0 disables. Default 0. */
  maxInFlightPerPeer?: number;
  /** Integer of 32 bits. Peers that know it can construct texts that take long to find. Default 0, for trusted peers. */
  hashSeed?: number;
  /** Records the time from each message to its ok, for messages of connections. Default: not measured. */
  ackTimes?: DurationHistogram;
}
