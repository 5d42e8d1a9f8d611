/** `loadtest.ts agent`: runs generator processes for a load test on another machine. @module */
import { type Context, FAIR_IO_ENV, VERSION } from "../run_program.ts";
import { address, custom, group } from "../args/option.ts";
import type { Command, Values } from "../args/program.ts";
import { assertToken, TOKEN_NOTATION } from "../../access/token_text.ts";
import { Agent } from "../../loadtest/agent/agent.ts";
import { formatAddress } from "../../socket/network.ts";
import { serverNetwork, tlsServerOptions } from "../server/tls_options.ts";
import { jsonOption, logOptions, quietOption } from "../shared/output_options.ts";
import { logFailure, startLog } from "../shared/program_log.ts";
import { transportArguments, transportOption } from "../shared/transport_option.ts";
import { ExitCode, ExitError, UsageError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { PART_NAMES, respawnCommand } from "./respawn.ts";

/** The variable for the token of agents. */
export const AGENT_TOKEN_VARIABLE = "OKLINE_AGENT_TOKEN";

/** Settings of an option for the token of agents. */
export const agentToken = {
  accepts: TOKEN_NOTATION,
  placeholder: "TOKEN",
  environment: AGENT_TOKEN_VARIABLE,
  secret: true,
} as const;

/** Reads a token. */
export function parseAgentToken(text: string): string {
  assertToken(text);
  return text;
}

const options = {
  ...group("Agent", {
    listen: address({ help: "Address to listen on", required: true }),
    token: custom(parseAgentToken, { help: "Token that a load test must show", ...agentToken }),
  }),
  ...tlsServerOptions,
  ...transportOption,
  ...jsonOption,
  ...quietOption,
  ...logOptions,
};

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|unix:.*)$/;

/** The command. */
export const agentCommand = {
  summary: "Run clients for a load test on another machine",
  options,
  examples: [
    [
      "agent --listen 10.0.0.2:7000 --token secret --tls-cert agent.pem --tls-key agent.key",
      "Wait for load tests on this address, over TLS",
    ],
    [
      "run --target 10.0.0.1:8000 --agents 10.0.0.2:7000,10.0.0.3:7000 --agent-token secret --agent-tls",
      "On another machine: run the clients at two agents",
    ],
  ],
} as const satisfies Command;

/**
 * Runs an agent until it is interrupted.
 *
 * @throws {UsageError} If the token is missing: a load test may run any program here.
 * @throws {ExitError} If the address cannot be bound.
 */
export async function runAgent(values: Values<typeof options>, { onSignal }: Context): Promise<ExitCode> {
  const { token } = values;
  if (token === undefined) {
    throw new UsageError(
      `Option --token (or ${AGENT_TOKEN_VARIABLE}) is missing: a load test with this token can run scenarios on this machine`,
    );
  }
  using log = await startLog("agent", values, { verbose: false });
  return await logFailure(log, () => serveLoadTests({ ...values, token }, { log, onSignal }));
}

async function serveLoadTests(
  values: Values<typeof options> & { readonly token: string },
  { log, onSignal }: Pick<Context, "onSignal"> & { readonly log: Log },
): Promise<ExitCode> {
  const { listen, token, transport } = values;
  const interrupted = Promise.withResolvers<void>();
  // First: a program that reads the output of this one may signal it at once.
  onSignal(["SIGINT", "SIGTERM"], () => interrupted.resolve());
  // The transport is that of the clients; an agent has a few connections.
  const { tls } = await serverNetwork({ ...values, transport: undefined, listenFd: [] }, {
    log,
    onReload: (reload) => onSignal(["SIGHUP"], reload),
  });
  await using agent = open(() =>
    new Agent({
      address: listen,
      token,
      tls,
      version: VERSION,
      command: respawnCommand(PART_NAMES.generator, ...transportArguments(transport)),
      env: FAIR_IO_ENV,
      onLog: (message) => log.info(message),
    })
  );
  const { hostname, port } = agent.address;
  if (tls === undefined && !LOOPBACK.test(hostname)) {
    log.warn(
      "Token and scenarios travel in plain text, and the token is enough to run programs here: use --tls-cert and --tls-key",
    );
  }
  log.result(`listening on ${formatAddress(agent.address)}`, {
    event: "listening",
    service: "agent",
    host: hostname,
    port,
    pid: Deno.pid,
    version: VERSION,
  });
  await Promise.race([interrupted.promise, agent.finished]);
  return ExitCode.ok;
}

function open(start: () => Agent): Agent {
  try {
    return start();
  } catch (cause) {
    if (!(cause instanceof Error) || Reflect.get(cause, "code") === undefined) throw cause;
    throw new ExitError(`Cannot listen: ${cause.message}`, { cause });
  }
}
