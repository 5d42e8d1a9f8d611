/** The agents of a load test: where its generator processes run. @module */
import { fileURLToPath } from "node:url";
import { VERSION } from "../run_program.ts";
import { custom, flag, group, text } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import { ADDRESS_NOTATION, parseAddress } from "../../socket/address.ts";
import { type Address, formatAddress, type NetworkLayer } from "../../socket/network.ts";
import { AgentError, AgentProcess } from "../../loadtest/agent/agent_process.ts";
import { type AgentFile, isInnerName } from "../../loadtest/agent/protocol.ts";
import { sha256Of } from "../../loadtest/agent/sha256.ts";
import type { StartGenerator } from "../../loadtest/generate/generator_process.ts";
import type { PreparedScenario } from "../../loadtest/scenario/scenario_runner.ts";
import type { Companions } from "../shared/companions.ts";
import { readAuthority, readIdentity } from "../shared/pem.ts";
import { ExitError, UsageError } from "../terminal/exit.ts";
import { agentToken, parseAgentToken } from "./agent.ts";

/** `--agents`, `--agent-token`, `--agent-tls` and its files */
export const agentOptions = group("Generators", {
  agents: custom(parseAgents, {
    help: "Agents that run the clients; see the command agent",
    accepts: `addresses separated by commas: ${ADDRESS_NOTATION}`,
    placeholder: "HOST:PORT,…",
    format: (agents) => agents.map(formatAddress).join(","),
    defaultText: "none: this machine runs them",
  }),
  agentToken: custom(parseAgentToken, { help: "Token of the agents", ...agentToken }),
  agentTls: flag({ help: "Connect to the agents over TLS" }),
  agentTlsCa: text({
    help: "Certificate authority (PEM) of the agents",
    placeholder: "FILE",
    defaultText: "those built in",
  }),
  agentTlsCert: text({ help: "Client certificate (PEM) for the agents", placeholder: "FILE" }),
  agentTlsKey: text({ help: "Private key (PEM) of that certificate", placeholder: "FILE" }),
});

/** The companions of these options that do not concern TLS. */
export const AGENT_COMPANIONS: Companions = { agentToken: "agents" };

function parseAgents(text: string): readonly Address[] {
  return text.split(",").map((one) => parseAddress(one, { minPort: 1 }));
}

/**
 * Returns what starts generator processes at the agents, in turn; `undefined` without agents.
 *
 * @throws {UsageError} If the token is missing, TLS lacks a file, or the scenario cannot travel.
 */
export async function agentGenerators(
  values: Values<typeof agentOptions>,
  scenario: PreparedScenario | undefined,
): Promise<StartGenerator | undefined> {
  const { agents, agentToken: token } = values;
  const tls = await tlsWithAgents(values);
  if (agents === undefined) return undefined;
  if (token === undefined) throw new UsageError("Option --agent-token (or OKLINE_AGENT_TOKEN) is missing");
  const run = crypto.randomUUID();
  const files = scenario === undefined ? [] : await filesOf(scenario);
  return async (number, onMessage) => {
    try {
      return await AgentProcess.start({
        address: agents[number % agents.length]!,
        token,
        tls,
        version: VERSION,
        run,
        files,
        onMessage,
      });
    } catch (cause) {
      if (cause instanceof AgentError) throw new ExitError(cause.message, { cause });
      throw cause;
    }
  };
}

/** Returns TLS with the agents, or `undefined` without it. */
async function tlsWithAgents(
  { agents, agentTls, agentTlsCa, agentTlsCert, agentTlsKey }: Values<typeof agentOptions>,
): Promise<NetworkLayer | undefined> {
  if (agentTls && agents === undefined) throw new UsageError("Cannot use --agent-tls without --agents");
  if (!agentTls) {
    if ((agentTlsCa ?? agentTlsCert ?? agentTlsKey) === undefined) return undefined;
    throw new UsageError(
      "Cannot use --agent-tls-ca, --agent-tls-cert, or --agent-tls-key without --agent-tls",
    );
  }
  if ((agentTlsCert === undefined) !== (agentTlsKey === undefined)) {
    throw new UsageError(
      "Cannot use --agent-tls-cert without --agent-tls-key, or --agent-tls-key without --agent-tls-cert",
    );
  }
  const { ClientTls } = await import("../../tls/layer.ts");
  return new ClientTls({
    ...(agentTlsCa === undefined ? {} : { ca: await readAuthority(agentTlsCa) }),
    ...(agentTlsCert === undefined || agentTlsKey === undefined
      ? {}
      : { identity: await readIdentity({ certificate: agentTlsCert, key: agentTlsKey }) }),
  });
}

/** Returns a number of processes, at least one for each agent and the same for all. */
export function processesAt(agents: readonly Address[], processes: number): number {
  return agents.length * Math.max(1, Math.ceil(processes / agents.length));
}

const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']*)["']/;

/** The scenario and its data. Other modules of the user do not travel. */
async function filesOf({ file, scenario: { data } }: PreparedScenario): Promise<AgentFile[]> {
  const path = fileURLToPath(file!);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const text = await Deno.readTextFile(path);
  const imported = RELATIVE_IMPORT.exec(text)?.[1];
  if (imported !== undefined) {
    throw new UsageError(`Cannot send ${name} to agents: it imports ${imported}, expected a single file`);
  }
  const files = [{ name, text, sha256: await sha256Of(text) }];
  if (data === undefined || Array.isArray(data)) return files;
  const dataName = typeof data === "string" ? data : (data as { readonly file: string }).file;
  if (!isInnerName(dataName)) {
    throw new UsageError(
      `Cannot send the data file ${dataName} to agents: expected a file beside the scenario`,
    );
  }
  const dataText = await Deno.readTextFile(new URL(dataName, file));
  return [...files, { name: dataName, text: dataText, sha256: await sha256Of(dataText) }];
}
