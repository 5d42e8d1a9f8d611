/** The timeouts of one connection. @module */
import type { Clock, Timer } from "../../internal/clock.ts";

/** Returns the time at which a wait for the peer began, `undefined` outside a wait, or `null` if no wait can follow. */
export type Since = () => number | undefined | null;

/**
 * Watches several waits, each with its own timer, so that none resets another. Activity on a connection only records the
 * time. A timer that fires computes how much of its wait is left.
 */
export class Timeouts {
  readonly #clock: Clock;
  readonly #expired: (which: string, ms: number) => void;
  readonly #timers = new Map<string, Timer>();

  /** @param expired Called when a wait was too long, with its name and limit. */
  constructor(clock: Clock, expired: (which: string, ms: number) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Watches a wait until no wait can follow, or one is too long. With `ms` 0, does nothing. */
  watch(which: string, ms: number, since: Since): void {
    if (ms > 0) this.#arm(which, { ms, since, wait: ms });
  }

  /** Stops watching. */
  cancel(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #arm(which: string, { ms, since, wait }: { ms: number; since: Since; wait: number }): void {
    const timer = this.#clock.after(wait, () => {
      this.#timers.delete(which);
      const start = since();
      if (start === null) return;
      const left = start === undefined ? ms : start + ms - this.#clock.now();
      if (left > 0) this.#arm(which, { ms, since, wait: left });
      else this.#expired(which, ms);
    });
    this.#timers.set(which, timer);
  }
}

/** The limits of the waits for one peer in ms; 0 disables. */
export interface PeerTimeouts {
  readonly idle: number;
  readonly firstFrame: number;
  readonly write: number;
}

/** The parts of a connection that {@linkcode watchPeer} reads. */
export interface WatchedPeer {
  readonly clock: Clock;
  readonly openedAt: number;
  readonly reader: { readonly frames: number; readonly reading: boolean; readonly readSince: number };
  readonly writer: { readonly writing: boolean; readonly lastWrite: number };
  /** Called when a wait was too long, with its name and limit. */
  late(which: string, ms: number): void;
}

/** Watches a peer until it is late, or the returned timeouts are canceled. */
export function watchPeer(limits: PeerTimeouts, peer: WatchedPeer): Timeouts {
  const { reader, writer, openedAt } = peer;
  const timeouts = new Timeouts(peer.clock, (which, ms) => peer.late(which, ms));
  timeouts.watch("first line", limits.firstFrame, () => reader.frames === 0 ? openedAt : null);
  timeouts.watch("write", limits.write, () => writer.writing ? writer.lastWrite : undefined);
  // A peer that this side keeps waiting is not idle: nothing of it is read.
  timeouts.watch("idle", limits.idle, () => {
    if (writer.writing && !reader.reading) return writer.lastWrite;
    return reader.reading ? reader.readSince : undefined;
  });
  return timeouts;
}
