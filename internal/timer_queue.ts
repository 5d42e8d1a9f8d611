/** Many timers on one timer of the runtime. Pure. @module */
import type { Timer } from "./clock.ts";

/** The timers of a runtime, in ms. */
export interface Alarms<Id> {
  /** Monotonic time. */
  now(): number;
  /** Calls `run` once after about `ms`. */
  set(run: () => void, ms: number): Id;
  /** Cancels a call. */
  clear(id: Id): void;
}

/** The longest delay that `setTimeout` accepts, in ms: 24.8 days. It runs a longer timer immediately. */
const MAX_ALARM = 2 ** 31 - 1;

/**
 * Timers in a binary heap, and one alarm for the first of them. A timer of Deno takes 600 bytes with what it needs here, and
 * a client of a load test has two: an entry takes an eighth of that, and a third of the CPU time.
 *
 * Timers that are due together run in the order of their times, then in the order in which they were set, and without other
 * work in between.
 *
 * @example
 * ```ts
 * import { TimerQueue } from "./timer_queue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let [now, alarm] = [0, () => {}];
 * const queue = new TimerQueue({ now: () => now, set: (run) => alarm = run, clear: () => {} });
 * const ran: string[] = [];
 * queue.after(20, () => ran.push("late"));
 * queue.after(10, () => ran.push("early"));
 * queue.after(10, () => ran.push("canceled")).cancel();
 * now = 20;
 * alarm();
 * assertEquals(ran, ["early", "late"]);
 * ```
 */
export class TimerQueue<Id> {
  readonly #alarms: Alarms<Id>;
  /** Each entry is due no later than those at twice its index, plus one and plus two. */
  readonly #heap: Entry[] = [];
  #set = 0;
  #alarm: Id | undefined;
  #alarmAt = Infinity;

  constructor(alarms: Alarms<Id>) {
    this.#alarms = alarms;
  }

  /** Number of timers. */
  get size(): number {
    return this.#heap.length;
  }

  /** Calls `run` once after `ms`, unless the timer is canceled first; with `Infinity`, never. */
  after(ms: number, run: () => void): Timer {
    const entry = new Entry(this, this.#alarms.now() + Math.max(0, ms), this.#set++, run);
    entry.index = this.#heap.push(entry) - 1;
    this.#raise(entry);
    if (entry.index === 0) this.#arm();
    return entry;
  }

  /** Removes an entry, if it is in the queue. */
  remove(entry: Entry): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.#heap.pop()!;
    if (last !== entry) {
      this.#put(last, index);
      this.#raise(last);
      this.#lower(last);
    }
    // An alarm that comes too early costs less than setting another one each time. One for nothing would keep the process.
    if (this.#heap.length === 0) this.#disarm();
  }

  /** Sets the alarm for the first entry, unless it comes early enough. */
  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || this.#alarm !== undefined && this.#alarmAt <= first.due) return;
    this.#disarm();
    // In whole ms, because the runtime cuts off the rest, and the alarm would come too early.
    const ms = Math.max(0, Math.ceil(first.due - this.#alarms.now()));
    this.#alarmAt = first.due;
    this.#alarm = this.#alarms.set(this.#ring, Math.min(ms, MAX_ALARM));
  }

  #disarm(): void {
    if (this.#alarm !== undefined) this.#alarms.clear(this.#alarm);
    this.#alarm = undefined;
  }

  readonly #ring = (): void => {
    this.#alarm = undefined;
    const now = this.#alarms.now();
    const before = this.#set; // Timers that are set from here on have their turn with the next alarm.
    try {
      for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
        if (first.due > now || first.order >= before) break;
        this.remove(first);
        first.run();
      }
    } finally {
      this.#arm(); // Also if a timer throws.
    }
  };

  /** Moves an entry toward the front. */
  #raise(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[entry.index - 1 >> 1]!;
      if (!entry.isBefore(parent)) return;
      this.#swap(entry, parent);
    }
  }

  /** Moves an entry toward the back. */
  #lower(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.isBefore(left) ? right : left;
      if (!child.isBefore(entry)) return;
      this.#swap(entry, child);
    }
  }

  #swap(one: Entry, other: Entry): void {
    const { index } = one;
    this.#put(one, other.index);
    this.#put(other, index);
  }

  #put(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}

/** A timer in a queue. */
class Entry implements Timer {
  readonly #queue: { remove(entry: Entry): void };
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
  /** The position in the heap, or -1 once it has run or is canceled. */
  index = -1;

  constructor(queue: { remove(entry: Entry): void }, due: number, order: number, run: () => void) {
    this.#queue = queue;
    this.due = due;
    this.order = order;
    this.run = run;
  }

  isBefore(other: Entry): boolean {
    return this.due < other.due || this.due === other.due && this.order < other.order;
  }

  cancel(): void {
    this.#queue.remove(this);
  }
}
