/** State that one may wait on, so that nobody has to poll or sleep. Pure. @module */

interface Waiter<State> {
  readonly holds: (state: State) => boolean;
  resolve(state: State): void;
  reject(reason: unknown): void;
}

/** Lets callers wait until a snapshot of some state satisfies a predicate. */
export class Watch<State> {
  readonly #read: () => State;
  #waiters: Waiter<State>[] = [];

  /** @param read Gives a snapshot of the state; called only while somebody waits. */
  constructor(read: () => State) {
    this.#read = read;
  }

  /** To be called after each change: costs nothing while nobody waits. */
  changed(): void {
    if (this.#waiters.length === 0) return;
    const state = this.#read();
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.holds(state)) return true;
      waiter.resolve(state);
      return false;
    });
  }

  /**
   * Waits until `holds` is true of the state, and gives that state; at once where it is true already.
   *
   * @throws The signal's reason, when it aborts before.
   */
  until(holds: (state: State) => boolean, options: { signal?: AbortSignal } = {}): Promise<State> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const state = this.#read();
    if (holds(state)) return Promise.resolve(state);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<State> = { holds, resolve, reject };
      this.#waiters.push(waiter);
      signal?.addEventListener("abort", () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(signal.reason);
      }, { once: true });
    });
  }
}
