/** Deadlines in order, most of which are canceled. Pure. @module */

/** A member of a {@linkcode DeadlineList}. Its links belong to the list. */
export interface DeadlineItem {
  /** Time in ms at which it is due. */
  readonly due: number;
  earlier: this | undefined;
  later: this | undefined;
}

/**
 * A doubly linked list in the order of deadlines. All items wait equally long, so a new one goes to the end, and one timer
 * serves all. A canceled item is removed immediately: kept until their deadlines, the settled messages of ten busy seconds
 * would be millions.
 */
export class DeadlineList<Item extends DeadlineItem> {
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  /** The item that is due first. */
  get first(): Item | undefined {
    return this.#first;
  }

  /** Number of items. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item that is not due before any other. */
  append(item: Item): void {
    item.earlier = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.later = item;
    this.#last = item;
    this.#size++;
  }

  /** Removes an item of the list. */
  remove(item: Item): void {
    if (item.earlier === undefined) this.#first = item.later;
    else item.earlier.later = item.later;
    if (item.later === undefined) this.#last = item.earlier;
    else item.later.earlier = item.earlier;
    item.earlier = item.later = undefined;
    this.#size--;
  }
}
