/**
 * The load tester: `deno run -A loadtest.ts [OPTIONS]`, `--help` tells the rest. Importing it starts nothing; its parts
 * are exported as a library.
 *
 * @module
 */
import { type Context, run } from "./cli/run_program.ts";
import type { ExitCode } from "./cli/terminal/exit.ts";

export * from "./loadtest/mod.ts";

/** Runs a load test; gives the exit code. */
export async function main(context: Context): Promise<ExitCode> {
  const { runLoadTester } = await import("./cli/loadtest/main.ts");
  return await runLoadTester(context);
}

// Not awaited: a scenario file imports this module while the program runs, and would wait for the end of the program.
if (import.meta.main) void run(main, import.meta);
