/** Waits that the end of a client ends, too. Pure. @module */

/**
 * Ends waits when something else has happened for good. `Promise.race` with one long-lived promise would keep every wait in
 * memory until that settles.
 *
 * @example
 * ```ts
 * import { UntilGone } from "./until_gone.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { promise, resolve } = Promise.withResolvers<void>();
 * const waits = new UntilGone(promise);
 * await waits.wait(Promise.resolve());
 * resolve();
 * await waits.wait(new Promise(() => {})); // Does not wait.
 * assertEquals(waits.gone, true);
 * ```
 */
export class UntilGone {
  #gone = false;
  #leave: (() => void) | undefined;

  /** @param end Resolves when it has happened; it must not reject. */
  constructor(end: Promise<unknown>) {
    void end.then(() => {
      this.#gone = true;
      this.#leave?.();
    });
  }

  /** Whether it has happened. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Waits for `work`, or for the end if that comes first. One wait at a time. Rejects as `work` does. */
  async wait(work: Promise<unknown>): Promise<void> {
    if (this.#gone) return;
    try {
      await new Promise<unknown>((resolve, reject) => {
        this.#leave = () => resolve(undefined);
        work.then(resolve, reject);
      });
    } finally {
      this.#leave = undefined;
    }
  }
}
