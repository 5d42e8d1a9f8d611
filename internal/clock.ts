/** Time and randomness, passed in so that tests can control them. Pure. @module */

/** Monotonic time and timers, passed in so that tests can control them. */
export interface Clock {
  /** Monotonic time in ms; only differences have a meaning. */
  now(): number;
  /** Calls `run` once after `ms`, unless the timer is canceled first. Canceling twice or too late does nothing. */
  after(ms: number, run: () => void): Timer;
  /** Calls `run` at the end of this turn of the event loop, after all of its input is handled. */
  soon(run: () => void): void;
  /**
   * Returns the time in ms until a timer may be due, `Infinity` without timers. Optional: a thread that waits for sockets
   * takes it for `Infinity` if it is absent, and timers may be up to 4 ms late.
   */
  untilDue?(): number;
}

/** A pending call of {@linkcode Clock.after}. */
export interface Timer {
  /** Cancels the timer. Does nothing if it has fired. */
  cancel(): void;
}

/** A source of numbers uniform in [0, 1). */
export type Random = () => number;
