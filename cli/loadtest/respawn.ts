/** How a program starts itself again, for another part of its work. @module */
import { HEAP_FLAG } from "../run_program.ts";

/**
 * The command that runs the load tester with `args`: the compiled program itself, or Deno with its source.
 */
export function respawnCommand(...args: readonly string[]): [string, ...string[]] {
  if (Deno.build.standalone) return [Deno.execPath(), ...args];
  return [
    Deno.execPath(),
    "run",
    "-A",
    HEAP_FLAG,
    new URL("../../loadtest.ts", import.meta.url).href,
    ...args,
  ];
}
