/** What `client.ts` does: reads the command line, runs the client of a service. @module */
import type { Context } from "../cli/cured.ts";
import { processEnvironment } from "../cli/environment.ts";
import { ExitCode, ExitError } from "../cli/exit.ts";
import { Log } from "../cli/log.ts";
import { parseCommandLine } from "../cli/options.ts";
import { printable } from "../cli/printable.ts";
import type { Program } from "../cli/program.ts";
import { programName, VERSION } from "../cli/version.ts";
import { ConnectError, ConnectionClosedError, FramingError } from "../socket/errors.ts";
import { clients } from "./clients/mod.ts";
import type { ServiceClient } from "./service_client.ts";

const program = {
  name: programName("client"),
  summary: "The clients of the server's services",
  version: VERSION,
  commandNoun: "service",
  commands: clients,
  defaultCommand: "relay",
} as const satisfies Program;

/**
 * Runs a client from its command line.
 *
 * @throws {ExitError} When the command line cannot be understood, or the client fails.
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
