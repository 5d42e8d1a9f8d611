/** The options of `loadtest.ts run`, and the plan that they describe. @module */
import { UsageError } from "../terminal/exit.ts";
import { address, choice, custom, duration, flag, group, integer } from "../args/option.ts";
import type { Values } from "../args/program.ts";
import { quoted } from "../../internal/printable.ts";
import { ARRIVALS } from "../../loadtest/plan/arrival.ts";
import { DEFAULT_MAX_LAG } from "../../loadtest/history/events.ts";
import { formatPayload, parsePayload, type PayloadSpec } from "../../loadtest/plan/payload.ts";
import { FAULTS_ACCEPTED, formatFaults, parseFaults } from "../../loadtest/plan/fault_spec.ts";
import { assertAffordable, LOOPBACK_ADDRESSES } from "../../loadtest/plan/affordable.ts";
import { OptionError } from "../../loadtest/plan/check_option.ts";
import { Plan } from "../../loadtest/plan/plan.ts";
import { availableMemory } from "../../loadtest/process/process_usage.ts";
import { formatAddress } from "../../socket/network.ts";
import { type DelayDistribution, formatReplyDelay } from "../../loadtest/plan/reply_delay.ts";
import { parseThreshold } from "../../loadtest/metrics/threshold.ts";
import { CLUSTER_NOTATION, parseCluster } from "../server/join_cluster.ts";
import { agentOptions } from "./agents.ts";
import { adminOptions } from "../shared/admin_options.ts";
import { fileError } from "../shared/file_error.ts";
import { jsonOption, logOptions } from "../shared/output_options.ts";
import { outputFile } from "../shared/output_file.ts";
import { withoutMark } from "../shared/text_file.ts";
import { replyDelayOption } from "../shared/reply_delay_option.ts";
import { tlsClientOptions } from "../client/tls_options.ts";
import { showTokenOption } from "../shared/token_option.ts";

const SHORT: PayloadSpec = { type: "short" };

/** The reply delays for each protocol: only relay clients reply, and a hello server delays all responses equally. */
const DELAYS: Readonly<
  Record<"relay" | "echo" | "hello", { types: readonly DelayDistribution["type"][]; accepts: string }>
> = {
  relay: { types: ["none", "fixed", "uniform", "exponential", "pareto"], accepts: "any" },
  echo: { types: ["none"], accepts: "0, because an echo is immediate" },
  hello: { types: ["none", "fixed"], accepts: "0 or fixed, like fixed:4s" },
};

/** The load of a run. Those of scenarios follow in `--help`. */
export const loadOptions = group("Load", {
  clients: integer({ help: "Number of clients", default: 1000, min: 1, environment: "CLIENT_COUNT" }),
  window: duration({ help: "Time over which clients start", default: 10_000 }),
  arrival: choice(ARRIVALS, { help: "Distribution of starts", default: "uniform" }),
  ...replyDelayOption,
  payload: custom(parsePayload, {
    help: "Content of the messages",
    accepts: "short, mixed, size:1KiB, or file:F",
    format: formatPayload,
    default: SHORT,
  }),
  protocol: choice(["relay", "echo", "hello"], { help: "Protocol of the clients", default: "relay" }),
  faults: custom(parseFaults, {
    help: "Faults to inject into connections",
    accepts: FAULTS_ACCEPTED,
    placeholder: "SPEC",
    format: formatFaults,
    defaultText: "none",
  }),
  seed: integer({ help: "Seed of the plan", min: 0, max: 2 ** 32 - 1, defaultText: "random, printed" }),
});

/** The other options of a run. */
export const otherOptions = {
  ...group("Server", {
    target: address({ help: "Listening server to test instead of a spawned one", minPort: 1 }),
    targetAdmin: address({ help: "Admin server of the target, to check that nothing is left", minPort: 1 }),
    serverProcesses: integer({
      help: "Number of processes of the spawned server",
      default: 1,
      min: 1,
      max: 64,
    }),
    cluster: custom(parseCluster, {
      help: "Cluster that connects these processes",
      accepts: CLUSTER_NOTATION,
      placeholder: "URL",
      defaultText: "Unix sockets between them",
    }),
    port: integer({ help: "Port of the spawned server", min: 0, max: 65_535, defaultText: "0, a free one" }),
  }),
  ...group("Verdict", {
    threshold: custom(parseThreshold, {
      help: "Condition that must hold, like p99<500ms; @abort:10s behind it stops the run",
      accepts: "a metric, an operator, and a bound, like p99<500ms or resent<1%",
      placeholder: "EXPR",
      format: (threshold) => threshold.expression,
      repeatable: true,
      defaultText: "lost==0 always",
    }),
    maxLag: duration({
      help: "Largest generator lag (p99) of a valid run",
      default: DEFAULT_MAX_LAG,
      min: 1,
    }),
  }),
  ...group("Timeouts", {
    timeout: duration({
      help: "Time without an ok before a client reconnects and resends",
      defaultText: "max(30s, 2 × longest delay + 10s)",
      environment: "SESSION_TIME",
    }),
    deadline: duration({ help: "Longest duration of the run", defaultText: "window + 2 × timeout" }),
  }),
  ...group("Generators", {
    processes: integer({
      help: "Number of generator processes",
      min: 1,
      max: 64,
      defaultText: "as many as their sockets need",
    }),
    ...agentOptions,
  }),
  ...tlsClientOptions,
  ...showTokenOption,
  ...adminOptions,
  ...group("Output", {
    history: outputFile("Write every event to this file, as JSON lines", "FILE.jsonl"),
    report: outputFile("Write a report to this file, as one page for a browser", "FILE.html"),
    out: custom(parseCsvOutput, {
      help: "Write a row per second to this file, as CSV",
      accepts: "csv= and the name of a file, like csv=run.csv",
      placeholder: "csv=FILE",
      format: (file) => `csv=${file}`,
      defaultText: "none",
    }),
    junit: outputFile("Write the result to this file, as JUnit XML", "FILE.xml"),
    ...jsonOption,
    quiet: flag({ help: "Hide progress" }),
    ...logOptions,
  }),
};

/** The options of a run, without those of scenarios. */
export const runOptions = { ...loadOptions, ...otherOptions };

/** Values of {@linkcode runOptions}. */
export type RunValues = Values<typeof runOptions>;

/**
 * Creates the plan.
 *
 * @throws {UsageError} If the options contradict each other.
 * @throws {ExitError} If the payload file cannot be read.
 */
export function planOf(values: RunValues): Plan {
  const { clients, window, arrival, replyDelay, payload, timeout, deadline, protocol, token } = values;
  const { types, accepts } = DELAYS[protocol];
  if (!types.includes(replyDelay.type)) {
    throw new UsageError(
      `Cannot use --reply-delay ${
        formatReplyDelay(replyDelay)
      } with --protocol ${protocol}: expected ${accepts}`,
    );
  }
  if (token !== undefined && protocol !== "relay") {
    throw new UsageError("Cannot use --token (or OKLINE_TOKEN) without --protocol relay");
  }
  if (values.targetAdmin !== undefined && values.target === undefined) {
    throw new UsageError(
      "Cannot use --target-admin without --target: the state of a spawned server is always checked",
    );
  }
  refuseServerOptions(values);
  if (values.target !== undefined && values.port !== undefined) {
    throw new UsageError("Cannot use --port with --target: it is the port of a spawned server");
  }
  const seed = values.seed ?? Math.floor(Math.random() * 2 ** 32);
  const lines = payload.type === "file" ? linesOf(payload.path) : undefined;
  const available = {
    memory: availableMemory(),
    target: values.target === undefined ? "the loopback addresses" : formatAddress(values.target),
    // Each agent has ports of its own.
    addresses: values.target === undefined ? LOOPBACK_ADDRESSES : values.agents?.length ?? 1,
  };
  try {
    assertAffordable({ clients, window, replyDelay }, available);
    return new Plan({
      seed,
      clients,
      window,
      arrival,
      replyDelay,
      payload,
      ...(lines === undefined ? {} : { lines }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(deadline === undefined ? {} : { deadline }),
    });
  } catch (error) {
    if (error instanceof OptionError) {
      const option = error.option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new UsageError(`Cannot use --${option} ${error.detail}`, { cause: error });
    }
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Refuses options of the spawned server that do not apply to it. */
function refuseServerOptions({ target, serverProcesses, cluster, protocol }: RunValues): void {
  if (target !== undefined && (serverProcesses > 1 || cluster !== undefined)) {
    throw new UsageError(
      "Cannot use --server-processes or --cluster with --target: they are for a spawned server",
    );
  }
  if (cluster !== undefined && protocol !== "relay") {
    throw new UsageError(`Cannot use --cluster with --protocol ${protocol}: expected relay`);
  }
}

/** Parses `csv=FILE`; other formats may follow. */
function parseCsvOutput(text: string): string {
  const [, file] = /^csv=(.+)$/.exec(text) ?? [];
  if (file === undefined || file === "-") throw new RangeError(`Expected csv=FILE, got ${quoted(text)}`);
  return file;
}

function linesOf(path: string): string[] {
  try {
    return withoutMark(Deno.readTextFileSync(path)).split(/\r?\n/).filter((line) => line !== "");
  } catch (cause) {
    throw fileError(`read the payload file ${quoted(path)}`, cause);
  }
}
