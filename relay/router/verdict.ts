/** The verdicts of the router on a line. Pure. @module */

/** The verdict on a line of a peer. */
export type LineVerdict =
  /** A message, delivered to a peer. */
  | { readonly kind: "message" }
  /** An ok that settled its message. */
  | { readonly kind: "ok" }
  /** An ok for a text that this peer does not hold. It settles nothing. */
  | { readonly kind: "stray" }
  /** A message of a node for which this node has no connection, or one that came back from a node. */
  | { readonly kind: "returned" }
  /** A message that its node needs no ok for anymore. */
  | { readonly kind: "dropped" }
  /** A line of a node about a message that is settled here already. */
  | { readonly kind: "late" }
  /** An error reported by the peer. It is never answered, or two servers would answer each other forever. */
  | { readonly kind: "error" }
  /** A well-framed line that is not a frame of the protocol. The peer gets `reason`, and stays. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** A message over a limit, delivered to no peer. Its sender gets `reason`, and stays. */
  | { readonly kind: "limited"; readonly limit: MessageLimit; readonly reason: string };

/** The limit that a message exceeded: of all messages in flight, of its sender's, or none is taken anymore. */
export type MessageLimit = "max-under-way" | "max-under-way-per-peer" | "draining";

// Verdicts without a reason are shared: the router makes no object per line.
export const MESSAGE: LineVerdict = { kind: "message" };
export const OK: LineVerdict = { kind: "ok" };
export const STRAY: LineVerdict = { kind: "stray" };
export const RETURNED: LineVerdict = { kind: "returned" };
export const DROPPED: LineVerdict = { kind: "dropped" };
export const LATE: LineVerdict = { kind: "late" };
export const ERROR: LineVerdict = { kind: "error" };
