/** A moment in which those who have plenty to read leave the runtime to all others. Pure but for the clock handed in. @module */
import type { Clock, Timer } from "./network.ts";

/** Something that reads, and has had its share. */
export interface Resting {
  /** Goes on. */
  rested(): void;
}

/**
 * The rest of all readers of a clock that have a backlog. They take it together: the runtime asks the system which other
 * sockets have something only when it has nothing left to do, or every 61 turns, and as long as one socket can be read
 * without waiting there is something to do. One reader at rest while another works would not help anybody else.
 *
 * (The number is `event_interval` of tokio's scheduler, https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html.)
 */
export class SharedRest {
  readonly #clock: Clock;
  #resting = new Set<Resting>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time, ms. */
  now(): number {
    return this.#clock.now();
  }

  /** Calls `rested` when the others have had their turn. */
  add(one: Resting): void {
    this.#resting.add(one);
    // The timer begins when this turn ends: begun now, a long turn would use it up.
    if (this.#resting.size === 1) this.#clock.soon(this.#begin);
  }

  /** Goes on at once, or never; does nothing for who does not rest. */
  remove(one: Resting): void {
    this.#resting.delete(one);
    if (this.#resting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #begin = (): void => {
    if (this.#resting.size > 0) this.#timer ??= this.#clock.after(0, this.#end);
  };

  readonly #end = (): void => {
    this.#timer = undefined;
    const rested = this.#resting;
    this.#resting = new Set();
    for (const one of rested) one.rested();
  };
}

const rests = new WeakMap<Clock, SharedRest>();

/** The one rest of a clock. */
export function restOf(clock: Clock): SharedRest {
  let rest = rests.get(clock);
  if (rest === undefined) rests.set(clock, rest = new SharedRest(clock));
  return rest;
}
