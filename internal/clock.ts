/** Time and randomness, passed in so that tests can control them. Pure. @module */

/** Monotonic time and timers, handed in so that tests can move time by hand. */
export interface Clock {
  /** Monotonic time in ms; only differences mean anything. */
  now(): number;
  /** Runs `run` once after `ms`, unless cancelled before. Cancelling twice, or too late, does nothing. */
  after(ms: number, run: () => void): Timer;
  /** Runs `run` at the end of this turn of the event loop, when the turn's input has all been seen. */
  soon(run: () => void): void;
}

/** A pending call of {@linkcode Clock.after}. */
export interface Timer {
  /** Cancels the timer. Does nothing if it has fired. */
  cancel(): void;
}

/** A source of numbers uniform in [0, 1). */
export type Random = () => number;
