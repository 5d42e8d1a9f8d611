/** The load tester as a program. It loads only the part that runs. @module */
import type { Context } from "../run_program.ts";
import type { ExitCode } from "../terminal/exit.ts";

/** Runs a command of `loadtest.ts`, or one of the child processes that a command starts. */
export async function loadTester(context: Context): Promise<ExitCode> {
  // First, because a child process needs only its own part.
  const { runNamedPart } = await import("./worker_processes.ts");
  const part = await runNamedPart(context);
  if (part !== undefined) return part;
  const { runLoadTester } = await import("./main.ts");
  return await runLoadTester(context);
}
