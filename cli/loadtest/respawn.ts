/** Starts the same program again for another part of its work. @module */
import { HEAP_FLAG } from "../run_program.ts";

/**
 * The command that runs the load tester with `args`: the compiled program itself, or Deno with its source.
 */
export function respawnCommand(...args: readonly string[]): [string, ...string[]] {
  return commandOf(HEAP_FLAG, args);
}

// Each request of a scenario leaves objects behind. With a young generation of this size, in MB per semi-space, they take
// about a tenth less processor time than with the usual one, for up to 36 MB more memory.
const SCENARIO_HEAP_FLAG = "--v8-flags=--max-semi-space-size=16";

/** The command that runs the load tester with `args` as a process with the code of a scenario. */
export function respawnForScenario(...args: readonly string[]): [string, ...string[]] {
  return commandOf(SCENARIO_HEAP_FLAG, args);
}

/** A compiled program has the flag that it was compiled with. */
function commandOf(heapFlag: string, args: readonly string[]): [string, ...string[]] {
  if (Deno.build.standalone) return [Deno.execPath(), ...args];
  return [
    Deno.execPath(),
    "run",
    "-A",
    heapFlag,
    new URL("../../loadtest.ts", import.meta.url).href,
    ...args,
  ];
}
