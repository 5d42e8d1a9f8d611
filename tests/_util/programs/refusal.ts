/** Programs whose start is refused, run in this process: their options, their errors, and their exit codes. */
import { ExitError } from "../../../cli/terminal/exit.ts";
import type { Context } from "../../../cli/run_program.ts";
import type { Outcome } from "./program.ts";

/** The main functions of the programs, which `run()` calls in a process of its own. */
const PROGRAMS: Readonly<Record<string, () => Promise<(context: Context) => Promise<number>>>> = {
  "server.ts": async () => (await import("../../../cli/server/main.ts")).runServer,
  "client.ts": async () => (await import("../../../cli/client/main.ts")).runClient,
  "loadtest.ts": async () => (await import("../../../cli/loadtest/main.ts")).runLoadTester,
};

/**
 * Runs a program that must end by itself before it starts anything, such as one with a wrong option. A process for each
 * such command line would take a hundred times as long; `tests/e2e/process/fairness_env_test.ts` tests what `run()` adds
 * to it: the one line on stderr, and the exit code of the process.
 */
export async function refusalOf(
  program: "server.ts" | "client.ts" | "loadtest.ts",
  args: readonly string[],
): Promise<Outcome> {
  const main = await PROGRAMS[program]!();
  using out = new Captured(Deno.stdout);
  using err = new Captured(Deno.stderr);
  try {
    const code = await main({ args, onSignal: () => {} });
    return { code, out: out.text, err: err.text };
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    return { code: error.exitCode, out: out.text, err: `${err.text}error: ${error.message}\n` };
  }
}

/** Captures the writes to a standard stream, which gets nothing of them until this is disposed of. */
class Captured implements Disposable {
  text = "";
  readonly #stream: typeof Deno.stdout;
  readonly #writeSync: typeof Deno.stdout.writeSync;

  constructor(stream: typeof Deno.stdout) {
    this.#stream = stream;
    this.#writeSync = stream.writeSync;
    const decoder = new TextDecoder();
    stream.writeSync = (bytes) => {
      this.text += decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
  }

  [Symbol.dispose](): void {
    this.#stream.writeSync = this.#writeSync;
  }
}
