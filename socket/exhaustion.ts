/** Whether a process is out of descriptors, told once for as long as that lasts. Pure. @module */

// At the limit each descriptor that comes free is taken at once: that is one shortage, and not as many as there are peers.
const OVER_AFTER_MS = 5000;

/** Tells of a shortage when it begins, and when a peer is accepted after a while without it. Times are in ms. */
export class ExhaustionTracker {
  readonly #told: (exhausted: boolean) => void;
  /** When there was no descriptor for the last time; `undefined` while there is no shortage. */
  #lastMet: number | undefined;

  /** @param told Called with `true` when a shortage begins, with `false` when it is over. */
  constructor(told: (exhausted: boolean) => void) {
    this.#told = told;
  }

  /** There was no descriptor for a peer. */
  failed(now: number): void {
    const known = this.#lastMet !== undefined;
    this.#lastMet = now;
    if (!known) this.#told(true);
  }

  /** There was one. */
  succeeded(now: () => number): void {
    if (this.#lastMet === undefined || now() - this.#lastMet < OVER_AFTER_MS) return;
    this.#lastMet = undefined;
    this.#told(false);
  }
}
