/** A queue between producers and one consumer. Pure. @module */

/** Passes items one by one to a consumer. A producer can wait until its item is taken. */
export class HandoffQueue<Item> {
  readonly #ready: { readonly item: Item; taken(): void }[] = [];
  #wanted: ((item: Item | undefined) => void) | undefined;
  #stopped = false;

  /** @returns A promise that resolves when `item` has been taken, and stays pending if it never is. */
  push(item: Item): Promise<void> {
    if (this.#wanted !== undefined) {
      this.#wanted(item);
      this.#wanted = undefined;
      return Promise.resolve();
    }
    return new Promise((taken) => this.#ready.push({ item, taken }));
  }

  /** Waits for the next item, or for `undefined` after {@linkcode HandoffQueue.stop}. Only one call may wait at a time. */
  shift(): Promise<Item | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    const first = this.#ready.shift();
    if (first === undefined) return new Promise((resolve) => this.#wanted = resolve);
    first.taken();
    return Promise.resolve(first.item);
  }

  /** Ends the queue for the consumer. */
  stop(): void {
    this.#stopped = true;
    this.#wanted?.(undefined);
    this.#wanted = undefined;
  }

  /** Returns the items that were not taken. */
  rest(): Item[] {
    return this.#ready.map(({ item }) => item);
  }
}
