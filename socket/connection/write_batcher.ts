/** One flush per turn of the event loop for many connections. Pure but for the clock handed in. @module */
import type { Clock } from "../../internal/clock.ts";

/** An object with output to flush at the end of this turn. */
export interface Flushable {
  /** Writes the output. */
  flushTurn(): void;
}

/** Collects the flushes of one turn behind a single {@linkcode Clock.soon}, because timers cost more than list entries. */
export class WriteBatcher {
  readonly #clock: Clock;
  #dirty: Flushable[] = [];
  /** The time of this turn, if it was read since the first flush was added. */
  #time: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `flushTurn` at the end of this turn. The caller must add itself once per turn only. */
  add(flushable: Flushable): void {
    if (this.#dirty.push(flushable) === 1) this.#clock.soon(this.#flush);
  }

  /**
   * Returns the time in ms. While flushes are pending, it is that of this turn, because reading the clock costs as much as a
   * short line.
   */
  now(): number {
    return this.#dirty.length === 0 ? this.#clock.now() : this.#time ??= this.#clock.now();
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#time = undefined;
    for (const flushable of dirty) flushable.flushTurn();
  };
}

const batchers = new WeakMap<Clock, WriteBatcher>();

/** Returns the batcher that all connections of a clock share. */
export function batcherOf(clock: Clock): WriteBatcher {
  let batcher = batchers.get(clock);
  if (batcher === undefined) batchers.set(clock, batcher = new WriteBatcher(clock));
  return batcher;
}
