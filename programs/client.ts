/** What `client.ts` does: reads the command line, runs the client of a service. @module */
import type { Context } from "../cli/cured.ts";
import { processEnvironment } from "../cli/environment.ts";
import { ExitCode } from "../cli/exit.ts";
import { Log } from "../cli/log.ts";
import { parseCommandLine } from "../cli/options.ts";
import type { Program } from "../cli/program.ts";
import { programName, VERSION } from "../cli/version.ts";
import { relayClientsCommand, runRelayClients } from "./clients/relay.ts";

const commands = { relay: relayClientsCommand };

const program = {
  name: programName("client"),
  summary: "The clients of the server's services",
  version: VERSION,
  commandNoun: "service",
  commands,
  defaultCommand: "relay",
} as const satisfies Program;

/**
 * Runs a client from its command line.
 *
 * @throws {ExitError} When the command line cannot be understood.
 */
export async function runClient(context: Context): Promise<ExitCode> {
  const told = parseCommandLine(program, { args: context.args, environment: processEnvironment });
  if ("text" in told) {
    new Log().result(told.text, {});
    return ExitCode.ok;
  }
  switch (told.command) {
    case "relay":
      return await runRelayClients(told.options, context);
  }
}
