/** The interface between `client.ts` and its clients, and the options that clients share. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import type { Context } from "../run_program.ts";
import { type ExitCode, ExitError } from "../terminal/exit.ts";
import { duration, group, host, type Option, port } from "../args/option.ts";
import { jsonOption } from "../shared/output_options.ts";
import type { Command, OptionTable, Values } from "../args/program.ts";

/** The parsed command line of a client. */
export interface CommandInput<
  Options extends OptionTable,
  Positionals extends OptionTable = Record<never, never>,
> {
  readonly options: Values<Options>;
  readonly positionals: Values<Positionals>;
}

/** An entry of the table of clients: a command, and how to run it. `run` imports code that only one client needs. */
export interface ServiceClient extends Command {
  /** @throws {ExitError} If it fails for a reason that the user can fix. */
  run(told: CommandInput<OptionTable, OptionTable>, context: Context): Promise<ExitCode>;
}

/** The host of the server if none is given. */
export const DEFAULT_HOST = "127.0.0.1";

/** Returns the options for the server to connect to. */
export function serverOptions(defaultPort: number): { host: Option<string>; port: Option<number> } {
  return group("Connecting", {
    host: host({ help: "Host of the server", default: DEFAULT_HOST, environment: "SERVER_HOST" }),
    port: port({ help: "Port of the server", default: defaultPort, minPort: 1, environment: "SERVER_PORT" }),
  });
}

/** The options of every client. */
export const outputOptions = jsonOption;

/** The longest wait for a server. */
export const timeoutOption: Option<number> = {
  ...duration({ help: "Longest time to connect, and to wait for a reply; 0 disables", default: 10_000 }),
  group: "Connecting",
};

/**
 * Yields the lines of the given texts or, if there are none, those of stdin as they arrive.
 *
 * @throws {ExitError} If stdin is not UTF-8, because decoding it would change the text.
 */
export async function* inputLines(texts: readonly string[]): AsyncIterableIterator<string> {
  if (texts.length === 0) {
    const text = new TextDecoderStream("utf-8", { fatal: true, ignoreBOM: true });
    try {
      yield* Deno.stdin.readable.pipeThrough(text).pipeThrough<string>(new TextLineStream());
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new ExitError("Cannot read stdin: expected UTF-8, got other bytes", { cause });
    }
  }
  // A line break in a text ends a line, as in a file.
  for (const text of texts) yield* text.split(/\r?\n/);
}
