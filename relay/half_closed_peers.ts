/** Senders that have half-closed, and wait for their oks. @module */
import type { Clock } from "../internal/clock.ts";
import type { Connection } from "../socket/connection.ts";

// Each holds a descriptor and a message.
const MAX_PEERS = 1000;

/**
 * Keeps the connections of senders that have half-closed until their messages have their oks, as `nc -N` expects: for a
 * limited time, and a limited number at once.
 */
export class HalfClosedPeers<Peer extends { readonly connection: Connection }> {
  readonly #clock: Clock;
  readonly #timeout: number;
  /** The function that ends each wait. */
  readonly #waits = new Map<Peer, () => void>();

  /** @param options.timeout Longest wait in ms. */
  constructor(options: { readonly clock: Clock; readonly timeout: number }) {
    this.#clock = options.clock;
    this.#timeout = options.timeout;
  }

  /** Whether no more peers can wait. */
  get full(): boolean {
    return this.#waits.size >= MAX_PEERS;
  }

  /** Waits until {@linkcode HalfClosedPeers.finish}, the end of the connection, or the timeout. */
  wait(peer: Peer): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        if (!this.#waits.delete(peer)) return;
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.after(this.#timeout, end);
      this.#waits.set(peer, end);
      void peer.connection.closed.then(end);
    });
  }

  /** Ends the wait of a peer. */
  finish(peer: Peer): void {
    this.#waits.get(peer)?.();
  }
}
