/** Turns of the event loop, several in one turn of the runtime. @module */
import type { Clock } from "../internal/clock.ts";
import { TURNS_UNTIL_POLL } from "../internal/runtime_turns.ts";
import { leftToRuntime } from "../internal/turn.ts";

/** The owner of the turns. */
export interface TurnTaker {
  /** Whether the next turn waits for input. */
  mayWait(): boolean;
  /**
   * Takes a turn.
   *
   * @param shared Whether other work of this thread has sent something since the last one.
   * @returns Whether another one follows.
   */
  takeTurn(shared: boolean): boolean;
}

const MOST_TURNS = 16;
// No turn begins later in a series, so that other work of the thread is late by this and one turn at most.
const LONGEST_SERIES_MS = 4;
// The time of series after which there is a rest.
const BETWEEN_RESTS_MS = 16;
// The runtime may have other work in its turns. After this time of a rest, it goes on after one turn of ours.
const LONGEST_REST_MS = 4;

/**
 * Takes turns until there are no more. A turn of the runtime costs as much as a few system calls, so several of ours share
 * one: it makes the calls of a series one after the other, and after each, it does what promises have to do.
 *
 * What they leave to the runtime, such as output, comes in its next turn. Then the rest of the series takes no turns: the
 * output must not wait for a turn that waits for the answer to it. So series are long only while nothing is left.
 *
 * While calls are scheduled, the runtime is never idle, and it polls its own sockets and the results of its other threads
 * only in every 61st turn. With a series in each, that would take a quarter of a second. So there are rests: as many turns of
 * the runtime without a series. An empty one takes about 1 µs.
 */
export class TurnSeries {
  readonly #clock: Clock;
  readonly #taker: TurnTaker;
  #running = false;
  /** Calls of this series that the runtime has not made. */
  #coming = 0;
  #length = 1;
  #taken = 0;
  #scheduledAt = 0;
  /** Whether the rest of the series takes no turns. */
  #over = false;
  /** Whether a turn was put off because something was left to the runtime, which has come to it since. */
  #deferred = false;
  /** Whether something was left since the last turn. */
  #shared = false;
  /** The calls that were left to the runtime when this series was scheduled. */
  #left = 0;
  /** The time of series since the last rest, in ms. */
  #busyFor = 0;
  /** Turns of the runtime that are left of this rest. */
  #restLeft = 0;
  #restingSince = 0;

  constructor(clock: Clock, taker: TurnTaker) {
    this.#clock = clock;
    this.#taker = taker;
  }

  /**
   * Begins. Another one must have ended.
   *
   * @param rested Whether the runtime was idle since then.
   */
  start(rested: boolean): void {
    this.#running = true;
    if (rested) this.#busyFor = this.#restLeft = 0;
    // One, as it may come at the end of the present turn: there, nothing would come between it and others.
    this.#length = 1;
    if (this.#coming === 0) this.#schedule(this.#clock.now());
  }

  #schedule(now: number): void {
    this.#coming = this.#length;
    this.#taken = 0;
    this.#over = false;
    this.#scheduledAt = now;
    for (let turn = 0; turn < this.#length; turn++) this.#clock.soon(this.#next);
    this.#left = leftToRuntime();
  }

  readonly #next = (): void => {
    this.#coming--;
    try {
      if (this.#running && !this.#over) this.#takeOrEnd();
    } finally {
      if (this.#coming === 0) this.#endSeries();
    }
  };

  #endSeries(): void {
    const now = this.#clock.now();
    this.#busyFor += now - this.#scheduledAt;
    if (!this.#running) return;
    this.#length = this.#taken < this.#length
      ? Math.max(1, this.#taken)
      : Math.min(2 * this.#length, MOST_TURNS);
    if (this.#restLeft === 0 && this.#busyFor >= BETWEEN_RESTS_MS) this.#restLeft = TURNS_UNTIL_POLL;
    if (this.#restLeft === 0) return this.#schedule(now);
    this.#restingSince = now;
    this.#clock.soon(this.#rest);
  }

  readonly #rest = (): void => {
    const now = this.#clock.now();
    if (--this.#restLeft === 0) this.#busyFor = 0;
    else if (now - this.#restingSince < LONGEST_REST_MS) return this.#clock.soon(this.#rest);
    else this.#length = 1;
    this.#schedule(now);
  };

  #takeOrEnd(): void {
    if (leftToRuntime() !== this.#left) {
      this.#shared = true;
      this.#over = true; // The runtime comes to it only after the rest of the series.
      this.#deferred = this.#taken > 0 || this.#taker.mayWait() && !this.#deferred;
      if (this.#deferred) return;
    } else if (this.#taken > 0 && this.#clock.now() - this.#scheduledAt >= LONGEST_SERIES_MS) {
      this.#over = true;
      return;
    }
    this.#take();
  }

  #take(): void {
    this.#taken++;
    const shared = this.#shared;
    this.#shared = false;
    this.#deferred = false;
    this.#running = this.#taker.takeTurn(shared);
  }
}
