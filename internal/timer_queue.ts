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

// Below this many entries, canceled ones cost nothing worth saving.
const SMALL = 64;

/**
 * Timers in a binary heap, and one alarm for the first of them. A timer of Deno takes 600 bytes with what it needs here, and
 * a client of a load test has two: an entry takes a tenth of that, and a fraction of the CPU time.
 *
 * Nearly all timers are canceled, most of them long before they are due. A canceled one stays in the heap until it is the
 * first, or half of all are canceled: to take it out at once would move a dozen others, each of them out of the processor's
 * cache when there are thousands.
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
export class TimerQueue<Id> implements CancelCount {
  readonly #alarms: Alarms<Id>;
  /** Each entry is due no later than those at twice its index, plus one and plus two. */
  #heap: Entry[] = [];
  /** When each entry of the heap is due: to compare these touches less memory than the entries. */
  #dues: number[] = [];
  /** Number of entries that are not canceled. */
  #size = 0;
  #set = 0;
  #alarm: Id | undefined;
  #alarmAt = Infinity;

  constructor(alarms: Alarms<Id>) {
    this.#alarms = alarms;
  }

  /** Number of timers. */
  get size(): number {
    return this.#size;
  }

  /** Calls `run` once after `ms`, unless the timer is canceled first; with `Infinity`, never. */
  after(ms: number, run: () => void): Timer {
    const entry = new Entry(this, this.#alarms.now() + Math.max(0, ms), this.#set++, run);
    this.#size++;
    this.#raise(entry, this.#heap.length);
    if (this.#heap[0] === entry) this.#arm();
    return entry;
  }

  /** Called by an entry that is canceled, once. */
  canceled(): void {
    this.#size--;
    if (this.#size === 0) this.#clear();
    else if (this.#heap.length > SMALL && this.#heap.length > 2 * this.#size) this.#dropCanceled();
  }

  /** Forgets the canceled entries when there are no others. */
  #clear(): void {
    this.#heap = [];
    this.#dues = [];
    // An alarm that comes too early costs less than setting another one each time. One for nothing would keep the process.
    this.#disarm();
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
        const run = first.run;
        if (run !== undefined && (first.due > now || first.order >= before)) break;
        this.#removeFirst();
        if (run === undefined) continue;
        first.run = undefined;
        this.#size--;
        run();
      }
    } finally {
      // Also if a timer throws.
      if (this.#size === 0) this.#clear();
      else this.#arm();
    }
  };

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    this.#dues.pop();
    if (this.#heap.length > 0) this.#lower(last, 0);
  }

  #dropCanceled(): void {
    this.#heap = this.#heap.filter((entry) => entry.run !== undefined);
    this.#dues = this.#heap.map((entry) => entry.due);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#lower(this.#heap[at]!, at);
  }

  /** Puts an entry at `at`, or closer to the front. */
  #raise(entry: Entry, at: number): void {
    const heap = this.#heap;
    const dues = this.#dues;
    const { due } = entry;
    while (at > 0) {
      const parent = at - 1 >> 1;
      const parentDue = dues[parent]!;
      if (due > parentDue || due === parentDue && entry.order > heap[parent]!.order) break;
      heap[at] = heap[parent]!;
      dues[at] = parentDue;
      at = parent;
    }
    heap[at] = entry;
    dues[at] = due;
  }

  /** Puts an entry at `at`, or closer to the back. */
  #lower(entry: Entry, at: number): void {
    const heap = this.#heap;
    const dues = this.#dues;
    const { due } = entry;
    for (let left = 2 * at + 1; left < heap.length; left = 2 * at + 1) {
      const right = left + 1;
      const child = right < heap.length && this.#isBefore(right, left) ? right : left;
      const childDue = dues[child]!;
      if (due < childDue || due === childDue && entry.order < heap[child]!.order) break;
      heap[at] = heap[child]!;
      dues[at] = childDue;
      at = child;
    }
    heap[at] = entry;
    dues[at] = due;
  }

  /** Whether the entry at `one` runs before that at `other`. */
  #isBefore(one: number, other: number): boolean {
    const [due, otherDue] = [this.#dues[one]!, this.#dues[other]!];
    return due < otherDue || due === otherDue && this.#heap[one]!.order < this.#heap[other]!.order;
  }
}

/** The queue of an entry. */
interface CancelCount {
  canceled(): void;
}

/** A timer in a queue. */
class Entry implements Timer {
  readonly #queue: CancelCount;
  readonly due: number;
  readonly order: number;
  /** Undefined once it has run or is canceled. */
  run: (() => void) | undefined;

  constructor(queue: CancelCount, due: number, order: number, run: () => void) {
    this.#queue = queue;
    this.due = due;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    if (this.run === undefined) return;
    this.run = undefined;
    this.#queue.canceled();
  }
}
