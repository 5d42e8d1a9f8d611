/** Waiting for a state without polling. Pure. @module */

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
   * @param read Returns a snapshot of the state; called only during a wait.
   */
  constructor(read: () => State) {
    this.#read = read;
  }

  /** Must be called after each change. It costs nothing without a wait. */
  changed(): void {
    if (this.#waiters.size === 0) return;
    const state = this.#read();
    for (const waiter of this.#waiters) {
      try {
        if (waiter.holds(state)) waiter.resolve(state);
      } catch (error) {
        waiter.reject(error); // The caller who made the change is not responsible for it.
      }
    }
  }

  /**
   * Waits until `holds` returns true for the state, and returns that state, immediately if it holds already.
   *
   * @throws The reason of the signal, if it aborts first; the error that `holds` throws.
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
