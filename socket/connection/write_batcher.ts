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
  // Two lists that take turns and keep their memory: a new one each turn was a fifth of the garbage of a busy relay.
  #dirty: (Flushable | undefined)[] = [];
  #flushed: (Flushable | undefined)[] = [];
  #count = 0;
  /** The time of this turn, if it was read since the first flush was added. */
  #time: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `flushTurn` at the end of this turn. The caller must add itself once per turn only. */
  add(flushable: Flushable): void {
    this.#dirty[this.#count++] = flushable;
    if (this.#count === 1) this.#clock.soon(this.#flush);
  }

  /**
   * Returns the time in ms. While flushes are pending, it is that of this turn, because reading the clock costs as much as a
   * short line.
   */
  now(): number {
    return this.#count === 0 ? this.#clock.now() : this.#time ??= this.#clock.now();
  }

  readonly #flush = (): void => {
    const [dirty, count] = [this.#dirty, this.#count];
    this.#dirty = this.#flushed;
    this.#flushed = dirty;
    this.#count = 0;
    this.#time = undefined;
    for (let index = 0; index < count; index++) {
      const flushable = dirty[index]!;
      dirty[index] = undefined;
      flushable.flushTurn();
    }
  };
}

const batchers = new WeakMap<Clock, WriteBatcher>();

/** Returns the batcher that all connections of a clock share. */
export function batcherOf(clock: Clock): WriteBatcher {
  let batcher = batchers.get(clock);
  if (batcher === undefined) batchers.set(clock, batcher = new WriteBatcher(clock));
  return batcher;
}
