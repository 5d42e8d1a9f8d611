/** The command line of `loadtest.ts run`, and the plan that it asks for. @module */
import { UsageError } from "../terminal/exit.ts";
import { address, choice, custom, duration, flag, integer } from "../args/option.ts";
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
import { adminOptions } from "../shared/admin_options.ts";
import { fileError } from "../shared/file_error.ts";
import { outputFile } from "../shared/output_file.ts";
import { withoutMark } from "../shared/text_file.ts";
import { replyDelayOption } from "../shared/reply_delay_option.ts";
import { tlsClientOptions } from "../client/tls_options.ts";
import { showTokenOption } from "../shared/token_option.ts";

const SHORT: PayloadSpec = { type: "short" };

/** The reply delays that make sense with each protocol: only clients of a relay answer, and a hello server waits alike for all. */
const DELAYS: Readonly<
  Record<"relay" | "echo" | "hello", { types: readonly DelayDistribution["type"][]; accepts: string }>
> = {
  relay: { types: ["none", "fixed", "uniform", "exponential", "pareto"], accepts: "any" },
  echo: { types: ["none"], accepts: "0, as an echo is not held" },
  hello: { types: ["none", "fixed"], accepts: "0 or fixed, as in fixed:4s" },
};

/** Options of a run. */
export const runOptions = {
  clients: integer({ help: "How many clients", default: 1000, min: 1, environment: "CLIENT_COUNT" }),
  window: duration({ help: "Their starts are spread over this", default: 10_000 }),
  arrival: choice(ARRIVALS, { help: "How they are spread", default: "uniform" }),
  ...replyDelayOption,
  payload: custom(parsePayload, {
    help: "What the messages are",
    accepts: "short, mixed, size:1KiB or file:F",
    format: formatPayload,
    default: SHORT,
  }),
  timeout: duration({
    help: "Longest wait for an ok; then the client reconnects and sends again",
    defaultText: "max(30s, 2 × longest delay + 10s)",
    environment: "SESSION_TIME",
  }),
  deadline: duration({ help: "The run ends then at the latest", defaultText: "window + 2 × timeout" }),
  seed: integer({
    help: "The same seed gives the same plan",
    min: 0,
    max: 2 ** 32 - 1,
    defaultText: "random, printed",
  }),
  target: address({ help: "A relay to test in place of an own one", minPort: 1 }),
  targetAdmin: address({
    help: "The target's admin server, which tells whether the target is left with nothing",
    minPort: 1,
  }),
  ...tlsClientOptions,
  ...showTokenOption,
  protocol: choice(["relay", "echo", "hello"], {
    help: "What the clients speak: with a relay, an echo server, or (hello) an HTTP server",
    default: "relay",
  }),
  faults: custom(parseFaults, {
    help: "What is to go wrong with the clients' connections",
    accepts: FAULTS_ACCEPTED,
    placeholder: "SPEC",
    format: formatFaults,
    defaultText: "nothing",
  }),
  port: integer({ help: "Port of the own server", min: 0, max: 65_535, defaultText: "0, a free one" }),
  processes: integer({
    help: "Processes that run the clients",
    min: 1,
    max: 64,
    defaultText: "as many as their sockets need",
  }),
  maxLag: duration({
    help: "A run is invalid when its generators lag by more, at the 99th percentile",
    default: DEFAULT_MAX_LAG,
    min: 1,
  }),
  threshold: custom(parseThreshold, {
    help: "A bound that must hold, as in p99<500ms",
    accepts: "a figure, an operator and a bound, as in p99<500ms or resent<1%",
    placeholder: "EXPR",
    format: (threshold) => threshold.expression,
    repeatable: true,
    defaultText: "lost==0 always",
  }),
  history: outputFile("Write every event to this file, as JSON lines", "FILE.jsonl"),
  report: outputFile("Write a report to this file, as one page for a browser", "FILE.html"),
  junit: outputFile("Write the result to this file, as JUnit XML", "FILE.xml"),
  ...adminOptions,
  json: flag({ help: "Machine output on stdout, one JSON object a line" }),
  quiet: flag({ help: "No progress" }),
};

/** Values of {@linkcode runOptions}. */
export type RunValues = Values<typeof runOptions>;

/**
 * Makes the plan.
 *
 * @throws {UsageError} If the options contradict each other.
 * @throws {ExitError} If the file of the payload cannot be read.
 */
export function planOf(values: RunValues): Plan {
  const { clients, window, arrival, replyDelay, payload, timeout, deadline, protocol, token } = values;
  const { types, accepts } = DELAYS[protocol];
  if (!types.includes(replyDelay.type)) {
    throw new UsageError(
      `With --protocol ${protocol}, --reply-delay must be ${accepts}: got ${formatReplyDelay(replyDelay)}`,
    );
  }
  if (token !== undefined && protocol !== "relay") {
    throw new UsageError("Option --token (or OKLINE_TOKEN) goes with --protocol relay alone");
  }
  if (values.targetAdmin !== undefined && values.target === undefined) {
    throw new UsageError(
      "Cannot use --target-admin without --target: an own server is always asked for its state",
    );
  }
  if (values.target !== undefined && values.port !== undefined) {
    throw new UsageError("Option --port is for an own server: the port of a --target is part of it");
  }
  const seed = values.seed ?? Math.floor(Math.random() * 2 ** 32);
  const lines = payload.type === "file" ? linesOf(payload.path) : undefined;
  const available = {
    memory: availableMemory(),
    target: values.target === undefined ? "the loopback addresses" : formatAddress(values.target),
    addresses: values.target === undefined ? LOOPBACK_ADDRESSES : 1,
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

function linesOf(path: string): string[] {
  try {
    return withoutMark(Deno.readTextFileSync(path)).split(/\r?\n/).filter((line) => line !== "");
  } catch (cause) {
    throw fileError(`read the payload file ${quoted(path)}`, cause);
  }
}
