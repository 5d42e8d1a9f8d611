/** Virtual time for tests and simulations: hours pass in milliseconds, and every run is the same. @module */
import { BinaryHeap } from "@std/data-structures/binary-heap";
import type { Clock, Timer } from "../internal/clock.ts";
import { systemClock } from "../socket/tcp.ts";

interface Alarm {
  readonly due: number;
  /** Order of creation, for timers that are due at the same time. */
  readonly order: number;
  /** Cleared when the timer fires or is canceled. */
  run: (() => void) | undefined;
}

const FOREVER = 24 * 60 * 60 * 1000;

/**
 * A {@linkcode Clock} whose time changes only when it is advanced.
 *
 * Advancing fires the due timers one after another. Before the next timer fires, everything that the last one caused has
 * happened: settled promises, and callbacks of `soon`. Nothing sleeps: a step takes one real turn of the event loop,
 * about a microsecond. The clock waits only for work that depends on it, not for real input and output.
 *
 * @example
 * ```ts
 * import { VirtualClock } from "@okline/okline/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * const rang: number[] = [];
 * clock.after(60_000, () => rang.push(clock.now()));
 * await clock.advance(59_999);
 * assertEquals(rang, []);
 * await clock.advance(1);
 * assertEquals(rang, [60_000]);
 * ```
 */
export class VirtualClock implements Clock {
  readonly #alarms = new BinaryHeap<Alarm>((a: Alarm, b: Alarm) => a.due - b.due || a.order - b.order);
  #soon: (() => void)[] = [];
  #now = 0;
  #order = 0;
  #timers = 0;
  #moving = false;

  now(): number {
    return this.#now;
  }

  /** Timers that have neither fired nor been canceled. A simulation should leave 0. */
  get timers(): number {
    return this.#timers;
  }

  after(ms: number, run: () => void): Timer {
    if (Number.isNaN(ms)) {
      throw new RangeError("Cannot set a timer: expected a number of milliseconds, but it is NaN");
    }
    const alarm: Alarm = { due: this.#now + Math.max(ms, 0), order: this.#order++, run };
    this.#alarms.push(alarm);
    this.#timers++;
    return {
      cancel: () => {
        if (alarm.run === undefined) return;
        alarm.run = undefined;
        this.#timers--;
      },
    };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /**
   * Advances the time by `ms`, and fires the timers that are due.
   *
   * @throws The error of a timer.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#move(end, () => false);
    this.#now = end;
  }

  /**
   * Advances the time until `goal` is reached, and no further.
   *
   * @param goal A promise to settle, or a predicate to return `true`.
   * @param options.within Most ms of virtual time that this may take. Default: 24 hours.
   * @returns The value of the promise.
   * @throws The reason of the promise, or the error of a timer.
   * @throws {Error} If no timer is left, or `within` has passed, before the goal is reached.
   *
   * @example
   * ```ts
   * import { VirtualClock } from "@okline/okline/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const clock = new VirtualClock();
   * const answer = new Promise<string>((resolve) => clock.after(5_000, () => resolve("late")));
   * assertEquals(await clock.runUntil(answer), "late");
   * assertEquals(clock.now(), 5_000);
   * ```
   */
  async runUntil<T>(goal: Promise<T>, options?: { within?: number }): Promise<T>;
  /** Advances the time until `goal` returns `true`. */
  async runUntil(goal: () => boolean, options?: { within?: number }): Promise<void>;
  async runUntil<T>(
    goal: Promise<T> | (() => boolean),
    options: { within?: number } = {},
  ): Promise<T | void> {
    const within = options.within ?? FOREVER;
    let settled = false;
    const reached = typeof goal === "function" ? goal : () => settled;
    const settle = () => void (settled = true);
    if (typeof goal !== "function") goal.then(settle, settle);
    await this.#move(this.#now + within, reached);
    if (!reached()) {
      const why = this.#timers === 0 ? "no timer is left" : `the next timer is over ${within} ms away`;
      throw new Error(`Goal not reached at ${this.#now} ms: ${why}`);
    }
    if (typeof goal !== "function") return await goal;
  }

  /** Fires due timers up to `end`, or until the goal is reached. */
  async #move(end: number, reached: () => boolean): Promise<void> {
    if (this.#moving) throw new TypeError("Cannot move the clock: it is already moving");
    this.#moving = true;
    try {
      while (!await this.#settle(reached)) {
        const next = this.#next();
        if (next === undefined || next.due > end) return;
        this.#alarms.pop();
        this.#now = next.due;
        this.#timers--;
        const { run } = next;
        next.run = undefined;
        run?.();
      }
    } finally {
      this.#moving = false;
    }
  }

  /** Settles everything that can happen at this time. Resolves with `true` as soon as the goal is reached. */
  async #settle(reached: () => boolean): Promise<boolean> {
    for (;;) {
      // The next turn of the real event loop starts when no promise reaction is pending.
      await new Promise<void>((resolve) => systemClock.soon(resolve));
      if (reached()) return true;
      const soon = this.#soon;
      if (soon.length === 0) return false;
      this.#soon = [];
      for (const run of soon) run();
    }
  }

  #next(): Alarm | undefined {
    let next = this.#alarms.peek();
    while (next !== undefined && next.run === undefined) {
      this.#alarms.pop();
      next = this.#alarms.peek();
    }
    return next;
  }
}
