/** Notices that the clock of the machine was set while this process ran. @module */

// `Date.now()` has no fractions, and both clocks are read one after the other.
const TOLERANCE = 5;

/**
 * Returns the ms by which the clock of the machine was set since this process started, as after a synchronization or while
 * the machine slept; 0 if it was not. `performance.timeOrigin + performance.now() + clockStep()` is the time that a process
 * takes for its `performance.timeOrigin` if it starts now.
 */
export function clockStep(): number {
  const step = Date.now() + 0.5 - (performance.timeOrigin + performance.now());
  return Math.abs(step) < TOLERANCE ? 0 : step;
}
