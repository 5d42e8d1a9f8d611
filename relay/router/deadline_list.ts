/** Deadlines in order, of which most are cancelled. Pure. @module */

/** A member of a {@linkcode DeadlineList}; its links belong to the list. */
export interface DeadlineItem {
  /** When it is due, ms. */
  readonly due: number;
  earlier: this | undefined;
  later: this | undefined;
}

/**
 * A doubly-linked list in the order of the deadlines. All wait equally long, so a new one goes to the end, and one
 * timer serves all. A cancelled one leaves at once: kept until it is due, the settled messages of ten busy seconds would be
 * millions.
 */
export class DeadlineList<Item extends DeadlineItem> {
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  get first(): Item | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item that is due no earlier than those already here. */
  append(item: Item): void {
    item.earlier = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.later = item;
    this.#last = item;
    this.#size++;
  }

  /** Takes out an item that is in the list. */
  remove(item: Item): void {
    if (item.earlier === undefined) this.#first = item.later;
    else item.earlier.later = item.later;
    if (item.later === undefined) this.#last = item.earlier;
    else item.later.earlier = item.earlier;
    item.earlier = item.later = undefined;
    this.#size--;
  }
}
