/** The end of a turn of an event loop of our own, which comes before that of the runtime's. @module */

let inTurn = false;
/** The first `waiting` ones wait for the end of their turn. The list keeps its memory. */
const calls: (() => void)[] = [];
let waiting = 0;
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
 * runTurn((input) => {
 *   atEndOfTurn(() => done.push("output"));
 *   done.push(input);
 * }, "input");
 * assertEquals(done, ["input", "output"]);
 * assertEquals(atEndOfTurn(() => {}), false);
 * ```
 */
export function runTurn<Input>(handle: (input: Input) => void, input: Input): void {
  const first = waiting; // Not 0 if a call at the end of a turn begins another one.
  inTurn = true;
  try {
    handle(input);
  } finally {
    inTurn = false; // What these calls schedule comes later.
    const end = waiting;
    for (let index = first; index < end; index++) {
      const call = calls[index]!;
      calls[index] = nothing;
      try {
        call();
      } catch (error) {
        reportError(error);
      }
    }
    waiting = first;
  }
}

/**
 * Schedules a call for the end of the present turn.
 *
 * @returns Whether it will be called. Outside a turn, it will not: the caller leaves it to the runtime.
 */
export function atEndOfTurn(run: () => void): boolean {
  if (!inTurn) {
    left++;
    return false;
  }
  calls[waiting++] = run;
  return true;
}

function nothing(): void {}

/** Returns how many calls were left to the runtime so far. */
export function leftToRuntime(): number {
  return left;
}
