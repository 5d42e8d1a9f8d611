/** Starts the same program again for another part of its work. @module */
import { HEAP_FLAG } from "../run_program.ts";

/** The internal commands that start the children of a load test. They are not for users, so `--help` omits them. */
export const PART_NAMES = {
  server: "own-server",
  /** A process of the server, if it has several. */
  serverProcess: "own-server-process",
  generator: "generator",
} as const;

/** A child loads its own part only, which takes half the time of loading the whole load tester. */
const PROGRAMS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(PART_NAMES).map((name) => [name, "./worker_processes.ts"]),
);

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
    new URL(PROGRAMS[args[0] ?? ""] ?? "../../loadtest.ts", import.meta.url).href,
    ...args,
  ];
}
