/** What a router is told, and what it tells. Pure. @module */

import type { DurationHistogram } from "../../internal/duration_histogram.ts";

/** A connection as the router sees it: an object with a place in the array of the active ones; -1 outside of it. */
export interface RouterPeer {
  /** Index of the peer in the router, maintained by it. */
  slot: number;
}

/** Sends a line to a peer. Must not call back into the router. */
export type Sink<Peer> = (peer: Peer, line: string) => void;

/** What a line of a peer was: counted, and worth an answer when it was rejected. */
export type LineVerdict =
  /** A message, handed to a peer. */
  | { readonly kind: "message" }
  /** An ok that settled its message. */
  | { readonly kind: "ok" }
  /** An ok for nothing that this peer holds: settles nothing. */
  | { readonly kind: "stray" }
  /** A message of a node for which this node has no connection, or one that came back from a node. */
  | { readonly kind: "returned" }
  /** A message that its node needs no ok for anymore. */
  | { readonly kind: "dropped" }
  /** A line of a node about a message that is settled here already. */
  | { readonly kind: "late" }
  /** An error that the peer reports: never answered, or two servers would answer each other for ever. */
  | { readonly kind: "error" }
  /** Well-framed, but no frame of the protocol: the peer should hear `reason`, and stays. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** A message over a limit: it goes to nobody. The peer should hear `reason`, and stays. */
  | { readonly kind: "limited"; readonly limit: MessageLimit; readonly reason: string };

/** What stood against a message: as many are under way as may be, in all or of its sender, or the router is closed. */
export type MessageLimit = "max-under-way" | "max-under-way-per-peer" | "draining";

/** What a router has seen, and what it holds now. */
export interface RouterStats {
  /** Peers that get messages now. */
  readonly active: number;
  /** Other nodes of the cluster. */
  readonly nodes: number;
  /** Different messages that wait for their ok now. */
  readonly pending: number;
  /** Sendings of them that will be redelivered when their time comes. */
  readonly due: number;
  /** Messages received. */
  readonly messages: number;
  /** Messages settled by an ok. */
  readonly settled: number;
  /** Oks sent to origins. */
  readonly oks: number;
  /** Acknowledgments without a pending message. */
  readonly stray: number;
  /** Messages delivered again after their receiver was lost. */
  readonly redelivered: number;
  /** Messages given back to the node they came from, because there was no connection for them. */
  readonly returned: number;
  /** Oks of nodes for messages that were settled already. */
  readonly late: number;
  /** Messages dropped because their last origin left. */
  readonly dropped: number;
  /** Error frames received. */
  readonly errors: number;
  /** Messages rejected. */
  readonly rejected: number;
  /** Messages that went to nobody: too many were under way, or no more were taken. */
  readonly limited: number;
  /** The same by what stood against them. */
  readonly limitedBy: Readonly<Record<MessageLimit, number>>;
}

/** What a `Router` needs. */
export interface RouterOptions {
  /** Numbers uniform in [0, 1): they choose the receivers. */
  random: () => number;
  /** Time in ms after which a message without its ok goes to another peer; 0 for never. */
  ackTimeout: number;
  /** Hand a message on when its holder leaves or lets the ack timeout pass. `false` leaves it pending until its origins go. */
  redeliver: boolean;
  /** Most messages under way in all, each sending counted; 0 for no bound. Default 0. */
  maxUnderWay?: number;
  /** Most messages of one peer under way, each sending counted; 0 for no bound. Default 0. */
  maxUnderWayPerPeer?: number;
  /** An integer of 32 bits that peers must not know, or they could make texts that take long to find. Default 0, for peers one trusts. */
  hashSeed?: number;
  /** Records the time from each message to its ok, for messages of connections. Default: not measured. */
  ackTimes?: DurationHistogram;
}
