/** The pace of a run: as planned, faster, slower, or paused. Maps the time of the plan to that of the run. Pure. @module */

/** A pace. */
export interface PaceSetting {
  /** Whether nothing new starts. */
  readonly paused: boolean;
  /** Factor by which new work starts faster than planned; 1 is as planned. */
  readonly speed: number;
}

/** The pace that a plan has by itself. */
export const AS_PLANNED: PaceSetting = { paused: false, speed: 1 };

/** From `at` on, in run time, the plan continues from `plan`, in plan time. */
interface Segment extends PaceSetting {
  readonly at: number;
  readonly plan: number;
}

/**
 * A piecewise linear map from plan time to run time. A pause moves all later instants of the plan, so that what starts
 * after it is not late. All times are in ms from the beginning of the run.
 *
 * @example
 * ```ts
 * import { Pace } from "./pace.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pace = new Pace(10_000);
 * pace.set({ paused: true, speed: 1 }, 2000);
 * assertEquals(pace.instantOf(3000), Infinity);
 * pace.set({ paused: false, speed: 2 }, 7000);
 * assertEquals(pace.instantOf(1000), 1000);
 * assertEquals(pace.instantOf(3000), 7500); // 5 s of pause, and the last second in half the time.
 * assertEquals(pace.planTime(7500), 3000);
 * ```
 */
export class Pace {
  readonly #end: number;
  readonly #segments: Segment[] = [{ at: 0, plan: 0, ...AS_PLANNED }];
  #resumed = Promise.withResolvers<void>();

  /**
   * Creates the pace of a run, which begins as planned.
   *
   * @param end When the schedule ends, in plan time: later times, such as a deadline, are not sped up or slowed down.
   */
  constructor(end: number) {
    this.#end = end;
  }

  /** Whether nothing new starts. */
  get paused(): boolean {
    return this.#last.paused;
  }

  /** Factor by which clients and messages start faster than planned. */
  get speed(): number {
    return this.#last.speed;
  }

  /** Resolves when the run is not paused. */
  get resumed(): Promise<void> {
    return this.paused ? this.#resumed.promise : Promise.resolve();
  }

  /** Changes the pace from `now` on. What is due by then must have started. */
  set({ paused, speed }: PaceSetting, now: number): void {
    const before = this.#last;
    this.#segments.push({ at: now, plan: this.planTime(now), paused, speed });
    if (before.paused && !paused) this.#resumed.resolve();
    if (!before.paused && paused) this.#resumed = Promise.withResolvers();
  }

  /** Returns how far the plan is at `now`. */
  planTime(now: number): number {
    const { at, plan, paused, speed } = this.#last;
    if (paused) return plan;
    const paced = Math.max(0, this.#end - plan) / speed;
    const passed = now - at;
    return passed <= paced ? plan + passed * speed : plan + paced * speed + (passed - paced);
  }

  /** Returns when an instant of the plan comes; `Infinity` if it does not come before a pause ends. */
  instantOf(planned: number): number {
    // At an instant that a pause begins with, the work was started before the pause.
    const segment = this.#segments.findLast(({ plan }) => plan < planned) ?? this.#segments[0]!;
    return segment.paused ? Infinity : this.#instantIn(segment, planned);
  }

  /** Returns how long it takes from `now` to an instant of the plan at the speed of now, pauses not counted. */
  timeUntil(planned: number, now: number): number {
    const { paused, speed } = this.#last;
    if (!paused) return this.instantOf(planned) - now;
    const segment = { at: now, plan: this.planTime(now), paused: false, speed };
    return planned < segment.plan ? 0 : this.#instantIn(segment, planned) - now;
  }

  get #last(): Segment {
    return this.#segments.at(-1)!;
  }

  #instantIn({ at, plan, speed }: Segment, planned: number): number {
    const paced = Math.max(0, Math.min(planned, this.#end) - plan);
    return at + paced / speed + (planned - plan - paced);
  }
}
