/** A moment in which those who have plenty to read leave the runtime to all others. Pure but for the clock handed in. @module */
import type { Clock } from "../internal/clock.ts";

/** Something that reads, and has had its share. */
export interface Resumable {
  /** Goes on. */
  resume(): void;
}

// How many turns of the event loop it takes until the runtime has asked the system what is new though it was never idle: one
// in 61 at the most, `event_interval` of tokio's scheduler (https://docs.rs/tokio/latest/tokio/runtime/struct.Builder.html).
// A timer would do as well, by leaving nothing to do; but it takes 2 ms, and as many empty turns less than a tenth of one.
const TURNS = 64;

/**
 * The rest of all readers of a clock that have a backlog. They take it together: as long as one socket can be read without
 * waiting, each turn of the event loop is long, and the runtime looks at the other sockets only when nothing is left to do,
 * or after so many turns. One reader at rest while another works would not help anybody else.
 */
export class FairScheduler {
  readonly #clock: Clock;
  #resting = new Set<Resumable>();
  #turns = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time, ms. */
  now(): number {
    return this.#clock.now();
  }

  /** Calls `rested` when the others have had their turn. */
  add(one: Resumable): void {
    this.#resting.add(one);
    if (this.#turns > 0) return;
    this.#turns = TURNS;
    this.#clock.soon(this.#turn);
  }

  /** Goes on at once, or never; does nothing for who does not rest. */
  remove(one: Resumable): void {
    this.#resting.delete(one);
  }

  readonly #turn = (): void => {
    this.#turns = this.#resting.size > 0 ? this.#turns - 1 : 0;
    if (this.#turns > 0) return this.#clock.soon(this.#turn);
    const rested = this.#resting;
    this.#resting = new Set();
    for (const one of rested) one.resume();
  };
}

const rests = new WeakMap<Clock, FairScheduler>();

/** The one rest of a clock. */
export function restOf(clock: Clock): FairScheduler {
  let rest = rests.get(clock);
  if (rest === undefined) rests.set(clock, rest = new FairScheduler(clock));
  return rest;
}
