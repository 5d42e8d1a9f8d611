/**
 * The server: `deno run -A server.ts [SERVICE] [OPTIONS]`. See `--help`.
 *
 * Importing it starts nothing. The library is `@okline/okline/relay`.
 *
 * @module
 */
import { type Context, run } from "./cli/run_program.ts";
import { youngGenerationFor } from "./cli/server/young_generation.ts";
import type { ExitCode } from "./cli/terminal/exit.ts";

/** Runs a service until it is stopped. */
async function main(context: Context): Promise<ExitCode> {
  const { runServer } = await import("./cli/server/main.ts");
  return await runServer(context);
}

if (import.meta.main) await run(main, import.meta, { youngGeneration: youngGenerationFor(Deno.args) });
