/** The command line of the processes that share the work of one server. Pure. @module */

/** Options that only the first process has, and whether they take a value. */
const OWN_OPTIONS: ReadonlyMap<string, boolean> = new Map([
  ["--processes", true],
  ["--port", true],
  ["--host", true],
  ["--admin", true],
  ["--admin-token", true],
  ["--admin-name", true],
  ["--monitor", false],
  ["--control", false],
  ["--json", false],
  ["--reuse-port", false],
  ["--listen-fd", true],
  ["--history-append", false],
  ["--until-stdin-ends", false],
]);

/**
 * Returns the arguments of a server without the options that only its first process has.
 *
 * @param args The command line, without the program.
 *
 * @example
 * ```ts
 * import { workerArgs } from "./worker_args.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const args = ["relay", "--processes", "4", "--port=8000", "--max-line", "1KiB"];
 * assertEquals(workerArgs(args), ["relay", "--max-line", "1KiB"]);
 * ```
 */
export function workerArgs(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--") return [...kept, ...args.slice(index)];
    const [name = "", value] = arg.split("=", 2);
    const takesValue = OWN_OPTIONS.get(name);
    if (takesValue === undefined) kept.push(arg);
    else if (takesValue && value === undefined) index++;
  }
  return kept;
}
