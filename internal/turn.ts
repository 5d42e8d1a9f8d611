/** The end of a turn of an event loop of our own, which comes before that of the runtime's. @module */

/** The calls that wait for the end of the present turn, if there is one. */
let waiting: (() => void)[] | undefined;
let left = 0;

/**
 * Handles the input of a turn, and then runs what it has scheduled with {@linkcode atEndOfTurn}: output goes out without
 * another turn of the runtime, which costs as much as a few system calls.
 *
 * A scheduled call that throws is an uncaught error, as one in a timer is, and the others run.
 *
 * @example
 * ```ts
 * import { atEndOfTurn, runTurn } from "./turn.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const done: string[] = [];
 * runTurn(() => {
 *   atEndOfTurn(() => done.push("output"));
 *   done.push("input");
 * });
 * assertEquals(done, ["input", "output"]);
 * assertEquals(atEndOfTurn(() => {}), false);
 * ```
 */
export function runTurn(handleInput: () => void): void {
  const calls: (() => void)[] = waiting = [];
  try {
    handleInput();
  } finally {
    waiting = undefined; // What these calls schedule comes later.
    for (const call of calls) {
      try {
        call();
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/**
 * Schedules a call for the end of the present turn.
 *
 * @returns Whether it will be called. Outside a turn, it will not: the caller leaves it to the runtime.
 */
export function atEndOfTurn(run: () => void): boolean {
  if (waiting === undefined) {
    left++;
    return false;
  }
  waiting.push(run);
  return true;
}

/** Returns how many calls were left to the runtime so far. */
export function leftToRuntime(): number {
  return left;
}
