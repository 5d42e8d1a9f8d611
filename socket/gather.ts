/** Runs what many connections have to flush once a turn of the event loop. Pure but for the clock handed in. @module */
import type { Clock } from "../internal/clock.ts";

/** Something with output to flush at the end of this turn. */
export interface Flushable {
  flushTurn(): void;
}

/** Gathers the flushes of one turn behind a single {@linkcode Clock.soon}: timers cost more than list entries. */
export class WriteBatcher {
  readonly #clock: Clock;
  #dirty: Flushable[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks for `flushTurn` at the end of this turn. The caller adds itself once a turn. */
  add(flushable: Flushable): void {
    if (this.#dirty.push(flushable) === 1) this.#clock.soon(this.#flush);
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const flushable of dirty) flushable.flushTurn();
  };
}

const gatherers = new WeakMap<Clock, WriteBatcher>();

/** The one gatherer of a clock. */
export function gathererOf(clock: Clock): WriteBatcher {
  let gatherer = gatherers.get(clock);
  if (gatherer === undefined) gatherers.set(clock, gatherer = new WriteBatcher(clock));
  return gatherer;
}
