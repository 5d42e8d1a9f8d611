/** The beginning of the end of a service, for those who serve its connections. @module */
import type { Clock, Timer } from "../internal/clock.ts";
import { stagger } from "../internal/stagger.ts";

/** Tells who serves a connection that it is to come to an end: not all at once, for they would all come back at once. */
export class Draining {
  readonly #ends = new Set<() => void>();
  #begun = false;

  /** Calls `end` when the service drains, at once where it does already; until what it returns is disposed of. */
  whenBegun(end: () => void): Disposable {
    if (this.#begun) end();
    else this.#ends.add(end);
    return { [Symbol.dispose]: () => void this.#ends.delete(end) };
  }

  /**
   * Has all come to an end, a slice at a time, within `ms`.
   *
   * @returns Stops it.
   */
  begin({ clock, ms }: { readonly clock: Clock; readonly ms: number }): Timer {
    this.#begun = true;
    return stagger([...this.#ends], {
      clock,
      ms,
      // Who has finished meanwhile is not asked to.
      each: (end) => {
        if (this.#ends.delete(end)) end();
      },
    });
  }
}
