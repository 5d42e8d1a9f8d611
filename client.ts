/**
 * The client: `deno run -A client.ts [SERVICE] [OPTIONS]`, `--help` tells the rest.
 *
 * Importing it starts nothing. As a library, take `@okline/okline/relay`.
 *
 * @module
 */
import { type Context, run } from "./cli/cured.ts";
import type { ExitCode } from "./cli/exit.ts";

/** Runs the client of a service. */
export async function main(context: Context): Promise<ExitCode> {
  const { runClient } = await import("./programs/client.ts");
  return await runClient(context);
}

if (import.meta.main) await run(main, import.meta);
