/** Items from those who have them to the one who asks for them. Pure. @module */

/** Gives items one by one to who asks for the next; who gives may wait until each is taken. */
export class HandoffQueue<Item> {
  readonly #ready: { readonly item: Item; taken(): void }[] = [];
  #wanted: ((item: Item | undefined) => void) | undefined;
  #stopped = false;

  /** @returns A promise that is fulfilled when `item` has been taken, and never where it is not. */
  push(item: Item): Promise<void> {
    if (this.#wanted !== undefined) {
      this.#wanted(item);
      this.#wanted = undefined;
      return Promise.resolve();
    }
    return new Promise((taken) => this.#ready.push({ item, taken }));
  }

  /** Waits for the next item; `undefined` when there will be none. One at a time may wait. */
  shift(): Promise<Item | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    const first = this.#ready.shift();
    if (first === undefined) return new Promise((resolve) => this.#wanted = resolve);
    first.taken();
    return Promise.resolve(first.item);
  }

  /** From now on there is no next item. */
  stop(): void {
    this.#stopped = true;
    this.#wanted?.(undefined);
    this.#wanted = undefined;
  }

  /** What was given and not taken. */
  rest(): Item[] {
    return this.#ready.map(({ item }) => item);
  }
}
