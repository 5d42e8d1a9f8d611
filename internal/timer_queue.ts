/** Many timers on one timer of the runtime. Pure. @module */
import type { Timer } from "./clock.ts";
import { Entry, EntryList, type EntryOwner, isBefore } from "./timer_entry.ts";

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

/** Delays that have lists of their own. A program has a few timeouts, and each connection has a timer for some of them. */
const MOST_LISTS = 16;

/**
 * Timers in lists and a binary heap, and one alarm for the first of them. A timer of Deno takes 600 bytes with what it needs
 * here, and a client of a load test has two: an entry takes a tenth of that, and a fraction of the CPU time.
 *
 * Timers with the same delay are due in the order in which they are set: they form a list, from which a canceled one is
 * removed at once, as nearly all are. (The lists of Node.js are the model.) Delays that are not whole ms are drawn at random
 * and do not repeat: such timers go to the heap. There, a canceled one stays until it is the first, or half of all are
 * canceled: to take it out at once would move a dozen others, each of them out of the processor's cache when there are
 * thousands.
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
export class TimerQueue<Id> implements EntryOwner {
  readonly #alarms: Alarms<Id>;
  /** By delay. */
  readonly #lists = new Map<number, EntryList>();
  /** Each entry is due no later than those at twice its index, plus one and plus two. */
  #heap: Entry[] = [];
  /** When each entry of the heap is due: to compare these touches less memory than the entries. */
  #dues: number[] = [];
  /** Number of entries of the heap that are not canceled. */
  #inHeap = 0;
  /** Number of entries that are not canceled. */
  #size = 0;
  #set = 0;
  /** No timer is due before. */
  #nextDue = Infinity;
  #alarm: Id | undefined;
  #alarmAt = Infinity;
  /** Whether `attend` will be called. */
  #attended = false;

  constructor(alarms: Alarms<Id>) {
    this.#alarms = alarms;
  }

  /** Number of timers. */
  get size(): number {
    return this.#size;
  }

  /** The time in ms until a timer may be due; `Infinity` without timers. */
  get untilDue(): number {
    return this.#nextDue === Infinity ? Infinity : this.#nextDue - this.#alarms.now();
  }

  /** Whether a timer may be due. */
  get due(): boolean {
    return this.untilDue <= 0;
  }

  /** Calls `run` once after `ms`, unless the timer is canceled first; with `Infinity`, never. */
  after(ms: number, run: () => void): Timer {
    const due = this.#alarms.now() + Math.max(0, ms);
    const list = Number.isInteger(ms) ? this.#listOf(ms) : undefined;
    const entry = new Entry(this, due, this.#set++, run);
    this.#size++;
    if (list !== undefined) list.append(entry);
    else {
      this.#inHeap++;
      this.#raise(entry, this.#heap.length);
    }
    if (due < this.#nextDue) this.#nextDue = due;
    if (!this.#attended) this.#arm();
    return entry;
  }

  /**
   * Sets no alarm until `attend` is called, which must be soon. A program that is awake for other reasons saves the alarms,
   * each of which costs it as much as a few system calls.
   */
  awaitAttendance(): void {
    this.#attended = true;
  }

  /**
   * Runs the timers that are due.
   *
   * @param again Whether it will be called again soon. If not, the alarm is set.
   */
  attend(again: boolean): void {
    this.#attended = again;
    if (this.due) this.#runDue();
    else if (!again && this.#size > 0) this.#arm();
  }

  /** Called by an entry that is canceled, once. */
  canceled(entry: Entry): void {
    this.#size--;
    if (entry.list !== undefined) entry.list.remove(entry);
    else this.#inHeap--;
    if (this.#size === 0) this.#clear();
    else if (this.#heap.length > SMALL && this.#heap.length > 2 * this.#inHeap) this.#dropCanceled();
  }

  /** Returns the list of a delay, or `undefined` if there are too many. */
  #listOf(ms: number): EntryList | undefined {
    const list = this.#lists.get(ms);
    if (list !== undefined) return list;
    if (this.#lists.size === MOST_LISTS) {
      for (const [delay, other] of this.#lists) if (other.first === undefined) this.#lists.delete(delay);
      if (this.#lists.size === MOST_LISTS) return undefined;
    }
    const created = new EntryList();
    this.#lists.set(ms, created);
    return created;
  }

  /** Forgets the canceled entries when there are no others. */
  #clear(): void {
    this.#heap = [];
    this.#dues = [];
    this.#nextDue = Infinity;
    // An alarm that comes too early costs less than setting another one each time. One for nothing would keep the process.
    this.#disarm();
  }

  /** Sets the alarm for the next timer, unless it comes early enough. */
  #arm(): void {
    const due = this.#nextDue;
    if (this.#alarm !== undefined && this.#alarmAt <= due) return;
    this.#disarm();
    // In whole ms, because the runtime cuts off the rest, and the alarm would come too early.
    const ms = Math.max(0, Math.ceil(due - this.#alarms.now()));
    this.#alarmAt = due;
    this.#alarm = this.#alarms.set(this.#ring, Math.min(ms, MAX_ALARM));
  }

  #disarm(): void {
    if (this.#alarm !== undefined) this.#alarms.clear(this.#alarm);
    this.#alarm = undefined;
  }

  readonly #ring = (): void => {
    this.#alarm = undefined;
    this.#runDue();
  };

  #runDue(): void {
    const now = this.#alarms.now();
    const before = this.#set; // Timers that are set from here on have their turn with the next alarm.
    const attended = this.#attended;
    this.#attended = true; // One alarm is enough for all that they set.
    try {
      for (let first = this.#first(); first !== undefined; first = this.#first()) {
        if (first.due > now || first.order >= before) break;
        const run = first.run!;
        first.run = undefined;
        this.#size--;
        if (first.list !== undefined) first.list.remove(first);
        else {
          this.#inHeap--;
          this.#removeFirst();
        }
        run();
      }
    } finally {
      // Also if a timer throws.
      this.#attended = attended;
      if (this.#size === 0) this.#clear();
      else {
        this.#nextDue = this.#first()!.due;
        if (!this.#attended) this.#arm();
      }
    }
  }

  /** Returns the entry that runs first. */
  #first(): Entry | undefined {
    let first = this.#heap[0];
    while (first !== undefined && first.run === undefined) {
      this.#removeFirst();
      first = this.#heap[0];
    }
    for (const list of this.#lists.values()) {
      const head = list.first;
      if (head !== undefined && (first === undefined || isBefore(head, first))) first = head;
    }
    return first;
  }

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
