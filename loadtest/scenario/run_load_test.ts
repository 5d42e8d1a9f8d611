/** A load test as a function, for tests and programs. @module */
import type { Clock } from "../../internal/clock.ts";
import { parseAddress } from "../../socket/address.ts";
import type { Address, Network } from "../../socket/network.ts";
import { systemClock, systemNetwork, systemRandom } from "../../socket/tcp.ts";
import { LocalGenerator } from "../generate/generator.ts";
import type { HistoryEvent } from "../history/events.ts";
import type { Finding } from "../judge/findings.ts";
import type { Verdict } from "../judge/verdict.ts";
import { describeVerdict } from "../judge/verdict_text.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { measure } from "../metrics/measure.ts";
import { summarize, type Summary } from "../metrics/summary.ts";
import { parseThreshold } from "../metrics/threshold.ts";
import { NO_USAGE } from "../process/process_usage.ts";
import { runPlan } from "../run_plan.ts";
import type { LoadShape } from "./load_shape.ts";
import { parseRate, parseStages } from "./load_shape.ts";
import { askFinalState, prepareScenario } from "./prepare_scenario.ts";
import { type Scenario, type ScenarioDuration, toMs } from "./scenario.ts";
import { scenarioPlan, scenarioRunEvent, stagesOf } from "./scenario_plan.ts";

/** Options for {@linkcode runLoadTest}. Durations are ms, or text such as `100ms` or `5m`. */
export interface LoadTestOptions<Frame, Shared> {
  readonly scenario: Scenario<Frame, Shared>;
  /** The server: an address, several of them for the clients to share, or text such as `127.0.0.1:8000`. */
  readonly target: Address | readonly Address[] | string;
  /** Default 100. */
  readonly clients?: number;
  /** The clients start within this. Default 1 ms a client. */
  readonly window?: ScenarioDuration;
  /** The same seed gives the same plan. Default 1. */
  readonly seed?: number;
  /** Longest wait for a reply. Default 30 s. */
  readonly timeout?: ScenarioDuration;
  /** When the run ends at the latest. Default: window + duration + 2 × timeout. */
  readonly deadline?: ScenarioDuration;
  /**
   * The verdict is `invalid` if the generator lags by more. Default 1 hour: a test shares its machine with others, and
   * proves delivery rather than durations.
   */
  readonly maxLag?: ScenarioDuration;
  /** Messages on each connection, for a scenario with `message`. Default 1. */
  readonly messages?: number;
  /** Messages without a reply on each connection. Default 1, or unlimited with a rate. */
  readonly inFlight?: number;
  /** Pause between two messages. Default 0. */
  readonly think?: ScenarioDuration;
  /** When no more messages start. Default: when all are sent. */
  readonly duration?: ScenarioDuration;
  /** Messages per second on all connections together, as in `500/s`, for `duration`. */
  readonly rate?: string;
  /** Rates over time, as in `30s:0→500/s, 5m:500/s`. */
  readonly stages?: string;
  /** What is due before this is proven, and not measured. Default 0. */
  readonly warmup?: ScenarioDuration;
  /** Thresholds, such as `p99<500ms`. Default: none. */
  readonly thresholds?: readonly string[];
  /** Default: real sockets and time. With a virtual clock, the same seed gives the same run. */
  readonly network?: Network;
  readonly clock?: Clock;
  /** Interrupts the run. */
  readonly signal?: AbortSignal;
  /** Receives every event, as a history has them. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** The result of a load test. */
export interface LoadTestRun {
  readonly verdict: Verdict;
  /** The verdict in a sentence. */
  readonly text: string;
  /** What is wrong; empty if the run is proven. */
  readonly findings: readonly Finding[];
  readonly summary: Summary;
  readonly ledger: Ledger;
}

const NO_LAG_LIMIT = 3_600_000;

/**
 * Runs a scenario against a server and judges the run.
 *
 * @throws {ScenarioError} If `setup` throws, or the data cannot be used.
 * @throws {RangeError} If the options contradict each other.
 *
 * @example
 * ```ts
 * import { assertProven, lineCodec, runLoadTest, scenario } from "@okline/okline/loadtest";
 * import { listen } from "@okline/okline";
 *
 * await using server = listen({ port: 0 });
 * server.serve(async (peer) => {
 *   for await (const line of peer) peer.send(line);
 * });
 * const echo = scenario({
 *   codec: lineCodec(),
 *   async session(t) {
 *     await t.ask(`hello ${t.client}`, { expect: `hello ${t.client}` });
 *   },
 * });
 * assertProven(await runLoadTest({ scenario: echo, target: server.addresses, clients: 20, seed: 1 }));
 * ```
 */
export async function runLoadTest<Frame, Shared>(
  options: LoadTestOptions<Frame, Shared>,
): Promise<LoadTestRun> {
  const { network = systemNetwork, clock = systemClock, seed = 1, thresholds = [] } = options;
  const load = loadOf(options);
  const plan = scenarioPlan({
    scenario: options.scenario as unknown as Scenario,
    load,
    seed,
    clients: options.clients ?? 100,
    window: toMs(options.window ?? options.clients ?? 100),
    timeout: options.timeout === undefined ? undefined : toMs(options.timeout),
    deadline: options.deadline === undefined ? undefined : toMs(options.deadline),
  });
  const scenario = options.scenario as unknown as Scenario;
  const parsed = thresholds.map(parseThreshold);
  const prepared = await prepareScenario(scenario, { clients: plan.clients, seed, load });
  const run = scenarioRunEvent({ scenario, load, plan, maxLag: toMs(options.maxLag ?? NO_LAG_LIMIT) });
  options.onEvent?.(run);
  const hooks = options.onEvent === undefined ? {} : { onEvent: options.onEvent };
  const { target } = options;
  const generator = new LocalGenerator({
    run,
    plan,
    targets: typeof target === "string" ? [parseAddress(target)] : [target].flat(),
    scenario: prepared,
    network,
    clock,
    random: systemRandom,
    ...hooks,
  });
  try {
    const result = await runPlan({
      plan,
      generator,
      clock,
      server: { finalState: () => askFinalState(scenario, { clock }) },
      ...hooks,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const summary = summarize({
      ...result,
      measures: measure(result.ledger),
      plan,
      usage: { server: { cpuSeconds: null, peakMemory: null }, generator: generator.usage() ?? NO_USAGE },
      thresholds: parsed,
    });
    return {
      verdict: summary.verdict,
      text: describeVerdict(summary),
      findings: summary.findings,
      summary,
      ledger: result.ledger,
    };
  } finally {
    await scenario.teardown?.(prepared.shared);
  }
}

function loadOf<Frame, Shared>(options: LoadTestOptions<Frame, Shared>): LoadShape {
  const { messages, inFlight, think, duration, rate, stages, warmup } = options;
  return {
    ...(messages === undefined ? {} : { messages }),
    ...(inFlight === undefined ? {} : { inFlight }),
    ...(think === undefined ? {} : { think: toMs(think) }),
    ...(warmup === undefined ? {} : { warmup: toMs(warmup) }),
    ...stagesOf({
      ...(rate === undefined ? {} : { rate: parseRate(rate) }),
      ...(stages === undefined ? {} : { stages: parseStages(stages) }),
      ...(duration === undefined ? {} : { duration: toMs(duration) }),
    }),
  };
}
