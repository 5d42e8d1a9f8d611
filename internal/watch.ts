/** State that one may wait on, so that nobody has to poll or sleep. Pure. @module */

interface Waiter<State> {
  readonly holds: (state: State) => boolean;
  resolve(state: State): void;
  reject(reason: unknown): void;
}

/** Lets callers wait until a snapshot of some state satisfies a predicate. */
export class Watch<State> {
  readonly #read: () => State;
  readonly #waiters = new Set<Waiter<State>>();

  /**
   * Creates a watch over the state that `read` returns.
   *
   * @param read Gives a snapshot of the state; called only while somebody waits.
   */
  constructor(read: () => State) {
    this.#read = read;
  }

  /** To be called after each change: costs nothing while nobody waits. */
  changed(): void {
    if (this.#waiters.size === 0) return;
    const state = this.#read();
    for (const waiter of this.#waiters) {
      try {
        if (waiter.holds(state)) waiter.resolve(state);
      } catch (error) {
        waiter.reject(error); // Whoever made the change has nothing to do with it.
      }
    }
  }

  /**
   * Waits until `holds` is true of the state, and gives that state; at once where it is true already.
   *
   * @throws The signal's reason, when it aborts before; what `holds` throws.
   */
  until(holds: (state: State) => boolean, options: { signal?: AbortSignal } = {}): Promise<State> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const state = this.#read();
      if (holds(state)) return resolve(state);
      const leave = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", abort);
      };
      const waiter: Waiter<State> = {
        holds,
        resolve(state) {
          leave();
          resolve(state);
        },
        reject(reason) {
          leave();
          reject(reason);
        },
      };
      const abort = () => waiter.reject(signal?.reason);
      signal?.addEventListener("abort", abort);
      this.#waiters.add(waiter);
    });
  }
}
