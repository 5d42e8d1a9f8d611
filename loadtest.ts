/**
 * The load tester: `deno run -A loadtest.ts [COMMAND] [OPTIONS]`; `--help` lists them. Importing it starts nothing, and
 * gives scenario files and tests what they need.
 *
 * @module
 */
import { type Context, run } from "./cli/run_program.ts";
import type { ExitCode } from "./cli/terminal/exit.ts";

export * from "./loadtest/mod.ts";

async function main(context: Context): Promise<ExitCode> {
  // First, because a child process needs only its own part.
  const { runNamedPart } = await import("./cli/loadtest/worker_processes.ts");
  const part = await runNamedPart(context);
  if (part !== undefined) return part;
  const { runLoadTester } = await import("./cli/loadtest/main.ts");
  return await runLoadTester(context);
}

// Not awaited: a scenario file imports this module while the program runs, and would wait for the end of the program.
if (import.meta.main) void run(main, import.meta);
