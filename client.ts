/**
 * The client: `deno run -A client.ts [SERVICE] [OPTIONS]`. See `--help`.
 *
 * Importing it starts nothing. The library is `@okline/okline/relay`.
 *
 * @module
 */
import { type Context, run } from "./cli/run_program.ts";
import type { ExitCode } from "./cli/terminal/exit.ts";

/** Runs the client of a service. */
async function main(context: Context): Promise<ExitCode> {
  const { runClient } = await import("./cli/client/main.ts");
  return await runClient(context);
}

// Most clients hold few connections, and end soon.
if (import.meta.main) await run(main, import.meta, { youngGeneration: 0 });
