/** The timers of a queue, and lists of them. Pure. @module */
import type { Timer } from "./clock.ts";

/** Whether an entry runs before another one. */
export function isBefore(one: Entry, other: Entry): boolean {
  return one.due < other.due || one.due === other.due && one.order < other.order;
}

/** The queue of an entry. */
export interface EntryOwner {
  /** Called once, when an entry is canceled. */
  canceled(entry: Entry): void;
}

/** A timer in a queue. */
export class Entry implements Timer {
  readonly #queue: EntryOwner;
  readonly due: number;
  readonly order: number;
  /** Undefined once it has run or is canceled. */
  run: (() => void) | undefined;
  /** The list that it is in, if it is not in the heap, and its neighbors there. */
  list: EntryList | undefined = undefined;
  next: Entry | undefined = undefined;
  previous: Entry | undefined = undefined;

  constructor(queue: EntryOwner, due: number, order: number, run: () => void) {
    this.#queue = queue;
    this.due = due;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    if (this.run === undefined) return;
    this.run = undefined;
    this.#queue.canceled(this);
  }
}

/** Entries with the same delay, in the order in which they are due. */
export class EntryList {
  first: Entry | undefined = undefined;
  last: Entry | undefined = undefined;

  append(entry: Entry): void {
    const { last } = this;
    entry.list = this;
    entry.previous = last;
    if (last === undefined) this.first = entry;
    else last.next = entry;
    this.last = entry;
  }

  remove(entry: Entry): void {
    const { next, previous } = entry;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    entry.next = entry.previous = undefined;
  }
}
