/** A load test as a function, for tests and programs. @module */
import { parseAddress } from "../socket/address.ts";
import { systemClock, systemNetwork } from "../socket/tcp.ts";
import { type GeneratorRun, LocalGenerator } from "./generate/generator.ts";
import { type HistoryEvent, RULES, SCHEMA } from "./history/events.ts";
import { HistoryLog } from "./history/log.ts";
import { describeVerdict } from "./judge/verdict_text.ts";
import { keepDetails, type LoadTestRun } from "./load_test_run.ts";
import {
  planProtocolTest,
  planScenarioTest,
  type ProtocolTestOptions,
  type ScenarioTestOptions,
} from "./load_test_options.ts";
import { histogramsFor } from "./metrics/abort_threshold.ts";
import { measure } from "./metrics/measure.ts";
import { crossedThresholds, summarize } from "./metrics/summary.ts";
import { parseThreshold } from "./metrics/threshold.ts";
import { randomStream } from "./plan/seeded_random.ts";
import { ThreadLoadMeter } from "./process/thread_load.ts";
import { GIVE_UP_AFTER, runPlan } from "./run_plan.ts";
import { askFinalState } from "./scenario/final_state.ts";
import { prepareScenario, Teardown } from "./scenario/prepare_scenario.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { toMs } from "./scenario/scenario.ts";
import { scenarioRunEvent } from "./scenario/scenario_plan.ts";

type AnyTestOptions = ScenarioTestOptions | ProtocolTestOptions;

/** Default `maxLag`, in ms. */
const MAX_LAG = 3_600_000;

/**
 * Runs a load test, with a scenario or with clients of a built-in protocol, and judges the run.
 *
 * @throws {ScenarioError} If `setup` throws or hangs, or the data cannot be used
 * @throws {RangeError} If options contradict each other, or one is out of range
 *
 * @example A scenario
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
 *
 * @example A built-in protocol
 * ```ts
 * import { assertProven, runLoadTest } from "@okline/okline/loadtest";
 * import { startRelay } from "@okline/okline/relay";
 *
 * await using relay = startRelay({ port: 0 });
 * const expectState = () => Promise.resolve({ pending: relay.stats().pending });
 * assertProven(await runLoadTest({ protocol: "relay", target: relay.addresses, clients: 20, expectState }));
 * ```
 */
export async function runLoadTest<Frame, Shared>(
  options: ScenarioTestOptions<Frame, Shared> | ProtocolTestOptions,
): Promise<LoadTestRun> {
  // A scenario handles its own frames only, so that their type does not matter from here on.
  const test = options as unknown as AnyTestOptions;
  const { clock = systemClock, network = systemNetwork, thresholds = [], onHistoryLine } = test;
  const parsed = thresholds.map(parseThreshold);
  await using prepared = await prepare(test);
  const { order, expectState } = prepared;
  const { run, plan } = order;
  const history = onHistoryLine && new HistoryLog(onHistoryLine);
  history?.add(run);
  const hooks = history === undefined ? {} : { onEvent: (event: HistoryEvent) => history.add(event) };
  using meter = test.clock === undefined ? new ThreadLoadMeter() : undefined;
  const generator = new LocalGenerator({
    ...(meter && { meter }),
    ...order,
    watched: histogramsFor(parsed),
    network,
    clock,
    random: randomStream(plan.options.seed, "back-off"),
    ...hooks,
  });
  const startedAt = new Date();
  const result = await runPlan({
    plan,
    generator,
    clock,
    thresholds: parsed,
    giveUpAfter: GIVE_UP_AFTER,
    server: { finalState: () => askFinalState({ expectState }, { clock }) },
    finish: async () => [await prepared.teardown?.call() ?? []].flat(),
    ...hooks,
    ...(order.scenario === undefined ? {} : { load: order.scenario.load }),
    ...(test.control === undefined ? {} : { control: test.control }),
    ...(test.signal === undefined ? {} : { signal: test.signal }),
  });
  const measures = measure(result.ledger);
  const summary = summarize({
    ...result,
    measures,
    plan,
    usage: { server: { cpuSeconds: null, peakMemory: null }, generator: generator.usage() },
    thresholds: parsed,
  });
  history?.finish(summary.verdict, crossedThresholds(summary));
  keepDetails(summary, { plan, ledger: result.ledger, measures, startedAt });
  const { verdict, findings } = summary;
  return { verdict, text: describeVerdict(summary), findings, summary };
}

/** A test that is ready to run; disposing of it calls the scenario's `teardown`, unless it was called. */
interface PreparedTest extends AsyncDisposable {
  readonly order: Omit<GeneratorRun, "tls">;
  readonly teardown?: Teardown;
  readonly expectState: Scenario["expectState"];
}

async function prepare(options: AnyTestOptions): Promise<PreparedTest> {
  const { target } = options;
  const targets = typeof target === "string" ? [parseAddress(target)] : [target].flat();
  const maxLag = toMs(options.maxLag ?? MAX_LAG);
  if ("scenario" in options) {
    const { scenario } = options;
    const { plan, load } = planScenarioTest(options);
    const prepared = await prepareScenario(scenario, {
      clients: plan.clients,
      seed: plan.options.seed,
      load,
      signal: options.signal,
    });
    const teardown = new Teardown(prepared, { signal: options.signal });
    return {
      order: { run: scenarioRunEvent({ scenario, load, plan, maxLag }), plan, targets, scenario: prepared },
      expectState: options.expectState ?? scenario.expectState,
      teardown,
      [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
    };
  }
  const { protocol, token, expectState } = options;
  const { plan, faults } = planProtocolTest(options);
  return {
    order: {
      run: {
        event: "run",
        schema: SCHEMA,
        seed: plan.options.seed,
        clients: plan.clients,
        protocol,
        // A server whose state is known has no other clients, so that every message must be one of this run.
        server: expectState === undefined ? "foreign" : "own",
        faults: faults !== undefined,
        maxLag,
        rules: RULES,
      },
      plan,
      targets,
      ...(faults === undefined ? {} : { faults }),
      ...(token === undefined ? {} : { token }),
    },
    expectState,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
