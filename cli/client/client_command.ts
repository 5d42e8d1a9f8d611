/** What the client of a service has to be so that `client.ts` can run it, and what clients share. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import type { Context } from "../run_program.ts";
import { type ExitCode, ExitError } from "../terminal/exit.ts";
import { duration, flag, host, type Option, port } from "../args/option.ts";
import type { Command, OptionTable, Values } from "../args/program.ts";

/** What a client is told by the command line. */
export interface CommandInput<
  Options extends OptionTable,
  Positionals extends OptionTable = Record<never, never>,
> {
  readonly options: Values<Options>;
  readonly positionals: Values<Positionals>;
}

/** An entry of the table of clients: a command, and how it is run. What only one needs is imported by `run`. */
export interface ServiceClient extends Command {
  /** @throws {ExitError} When it fails for a reason that the user can do something about. */
  run(told: CommandInput<OptionTable, OptionTable>, context: Context): Promise<ExitCode>;
}

/** Which server to talk to. */
export function serverOptions(defaultPort: number): { host: Option<string>; port: Option<number> } {
  return {
    host: host({ help: "Server to connect to", default: "127.0.0.1", environment: "SERVER_HOST" }),
    port: port({ help: "Its port", default: defaultPort, minPort: 1, environment: "SERVER_PORT" }),
  };
}

/** The options that every client takes. */
export const outputOptions = {
  json: flag({ help: "Machine output on stdout, one JSON object a line" }),
};

/** Longest wait for a server. */
export const timeoutOption: Option<number> = duration({
  help: "Longest time to connect, and longest wait for an answer; 0 for no bound",
  default: 10_000,
});

/**
 * The lines of the texts given or, where none is, those of stdin as they come.
 *
 * @throws {ExitError} If stdin is not UTF-8: what is sent would be something else than what was given.
 */
export async function* inputLines(texts: readonly string[]): AsyncIterableIterator<string> {
  if (texts.length === 0) {
    const text = new TextDecoderStream("utf-8", { fatal: true, ignoreBOM: true });
    try {
      yield* Deno.stdin.readable.pipeThrough(text).pipeThrough<string>(new TextLineStream());
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new ExitError("Cannot read stdin: expected UTF-8, got bytes that are none", { cause });
    }
  }
  // A line end inside a text ends a line, as it does in a file.
  for (const text of texts) yield* text.split(/\r?\n/);
}
