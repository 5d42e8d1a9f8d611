/** The main function of `client.ts`: reads the command line, and runs the client of a service. @module */
import { invocation } from "../shared/invocation.ts";
import { processEnvironment } from "../args/environment.ts";
import { ExitCode, ExitError } from "../terminal/exit.ts";
import { Log } from "../terminal/log.ts";
import { parseCommandLine } from "../args/parse.ts";
import { printable } from "../../internal/printable.ts";
import type { Program } from "../args/program.ts";
import { type Context, programName, VERSION } from "../run_program.ts";
import { ConnectError, ConnectionClosedError, FramingError } from "../../socket/errors.ts";
import { clients } from "./commands/mod.ts";
import type { ServiceClient } from "./client_command.ts";

const program = {
  name: programName("client"),
  invocation: invocation("client"),
  summary: "The clients of the server's services",
  version: VERSION,
  commandNoun: "service",
  commands: clients,
  defaultCommand: "relay",
} as const satisfies Program;

/**
 * Runs a client from its command line.
 *
 * @throws {ExitError} If the command line is invalid, or the client fails.
 */
export async function runClient(context: Context): Promise<ExitCode> {
  const told = parseCommandLine(program, { args: context.args, environment: processEnvironment });
  if ("text" in told) {
    new Log().result(told.text, {});
    return ExitCode.ok;
  }
  const client: ServiceClient = clients[told.command];
  try {
    return await client.run(told, context);
  } catch (cause) {
    const kinds = [ConnectError, ConnectionClosedError, FramingError];
    if (!(cause instanceof Error) || !kinds.some((kind) => cause instanceof kind)) throw cause;
    throw new ExitError(printable(cause.message), { cause });
  }
}
