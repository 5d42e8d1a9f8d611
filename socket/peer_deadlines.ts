/** What a peer may be waited for, and for how long. @module */
import { Timeouts } from "./timeouts.ts";
import type { Clock } from "../internal/clock.ts";

/** The bounds of the waits for one peer, ms; 0 for none. */
export interface PeerTimeouts {
  readonly idle: number;
  readonly firstFrame: number;
  readonly write: number;
}

/** What is watched of one connection. */
export interface WatchedPeer {
  readonly clock: Clock;
  readonly openedAt: number;
  readonly inbound: { readonly frames: number; readonly reading: boolean; readonly readSince: number };
  readonly outbound: { readonly writing: boolean; readonly lastWrite: number };
  /** Told of a wait that was too long, and its bound. */
  late(which: string, ms: number): void;
}

/** Watches a peer until it is late, or the deadlines are canceled. */
export function watchPeer(timeouts: PeerTimeouts, peer: WatchedPeer): Timeouts {
  const { inbound, outbound, openedAt } = peer;
  const deadlines = new Timeouts(peer.clock, (which, ms) => peer.late(which, ms));
  deadlines.watch("first line", timeouts.firstFrame, () => inbound.frames === 0 ? openedAt : null);
  deadlines.watch("write", timeouts.write, () => outbound.writing ? outbound.lastWrite : undefined);
  // A peer that this side keeps waiting is not idle: nothing of it is read.
  deadlines.watch("idle", timeouts.idle, () => {
    if (outbound.writing && !inbound.reading) return outbound.lastWrite;
    return inbound.reading ? inbound.readSince : undefined;
  });
  return deadlines;
}
