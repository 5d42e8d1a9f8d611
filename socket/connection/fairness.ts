/** Pauses busy readers together, so that the runtime serves the other sockets. Pure but for the clock handed in. @module */
import type { Clock } from "../../internal/clock.ts";
import { TURNS_UNTIL_POLL } from "../../internal/runtime_turns.ts";

/** A reader that pauses after its share. */
export interface Resumable {
  /** Continues reading. */
  resume(): void;
}

/**
 * The common pause of all readers with a backlog. As long as one socket can be read without waiting, each turn of the
 * event loop is long, and the runtime polls the other sockets only when it is idle, or in every 61st turn. Pausing one
 * reader while another works would therefore not help the other sockets.
 */
export class FairScheduler {
  readonly #clock: Clock;
  #paused = new Set<Resumable>();
  #turns = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the time in ms. */
  now(): number {
    return this.#clock.now();
  }

  /** Calls `resume` when the other sockets have had their turn. */
  add(reader: Resumable): void {
    this.#paused.add(reader);
    if (this.#turns > 0) return;
    this.#turns = TURNS_UNTIL_POLL;
    this.#clock.soon(this.#turn);
  }

  /** Removes a reader. Does nothing if it does not pause. */
  remove(reader: Resumable): void {
    this.#paused.delete(reader);
  }

  readonly #turn = (): void => {
    this.#turns = this.#paused.size > 0 ? this.#turns - 1 : 0;
    if (this.#turns > 0) return this.#clock.soon(this.#turn);
    const paused = this.#paused;
    this.#paused = new Set();
    for (const reader of paused) reader.resume();
  };
}

const schedulers = new WeakMap<Clock, FairScheduler>();

/** Returns the scheduler that all readers of a clock share. */
export function fairSchedulerOf(clock: Clock): FairScheduler {
  let scheduler = schedulers.get(clock);
  if (scheduler === undefined) schedulers.set(clock, scheduler = new FairScheduler(clock));
  return scheduler;
}
