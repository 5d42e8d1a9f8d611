/** Time moved by hand, for tests and simulations: hours pass in milliseconds, and the same way each time. @module */
import { BinaryHeap } from "@std/data-structures/binary-heap";
import type { Clock, Timer } from "../internal/clock.ts";
import { systemClock } from "../socket/tcp.ts";

interface Alarm {
  readonly due: number;
  /** Order of those due at one instant: as they were set. */
  readonly order: number;
  /** Taken away when it runs or is canceled. */
  run: (() => void) | undefined;
}

const FOREVER = 24 * 60 * 60 * 1000;

/**
 * A {@linkcode Clock} that stands still until it is moved.
 *
 * Moving it runs what is due, one alarm after the other; before the next one, everything that follows from the last
 * has happened: the promises it settled, and what was asked for with `soon`. Nothing sleeps: a step costs one real
 * turn of the event loop, about a microsecond. Only work on this clock is waited for, not real input and output.
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

  /** Alarms set and neither run nor canceled: what a simulation should leave none of. */
  get timers(): number {
    return this.#timers;
  }

  after(ms: number, run: () => void): Timer {
    if (Number.isNaN(ms)) throw new RangeError("Cannot set a timer: NaN is no number of milliseconds");
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
   * Moves time on by `ms`, running what falls due on the way.
   *
   * @throws What an alarm throws.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#move(end, () => false);
    this.#now = end;
  }

  /**
   * Moves time on until `goal` is reached, and not further.
   *
   * @param goal A promise, until it has settled; or a predicate, until it gives `true`.
   * @param options.within Most ms of virtual time this may take. Default 24 hours.
   * @returns What the promise gives.
   * @throws What the promise rejects with, or an alarm throws.
   * @throws {Error} If nothing is left to happen, or `within` has passed, and the goal is not reached.
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
      const why = this.#timers === 0 ? "nothing is left to happen" : `what is next is over ${within} ms away`;
      throw new Error(`Goal not reached at ${this.#now} ms: ${why}`);
    }
    if (typeof goal !== "function") return await goal;
  }

  /** Runs what is due up to `end`, or until the goal is reached. */
  async #move(end: number, reached: () => boolean): Promise<void> {
    if (this.#moving) throw new TypeError("Cannot move the clock: it is being moved already");
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

  /** Lets everything happen that can at this instant; `true` as soon as the goal is reached. */
  async #settle(reached: () => boolean): Promise<boolean> {
    for (;;) {
      // The next turn of the real event loop comes when no promise has anything left to do.
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
