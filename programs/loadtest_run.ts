/** `loadtest.ts run`: one load test, its own server and its generators started and ended. @module */
import type { Context } from "../cli/cured.ts";
import { type ExitCode, ExitError } from "../cli/exit.ts";
import { Log } from "../cli/log.ts";
import { CURE_VALUE, CURE_VARIABLE } from "../cli/starvation.ts";
import { type Generator, type GeneratorRun, LocalGenerator } from "../loadtest/generator.ts";
import { GeneratorProcesses } from "../loadtest/generator_process.ts";
import { SCHEMA } from "../loadtest/history.ts";
import { HistoryFile } from "../loadtest/history_file.ts";
import { describeEnd } from "../loadtest/line_process.ts";
import { measure, type Measures } from "../loadtest/measures.ts";
import { OwnServer } from "../loadtest/own_server.ts";
import type { Plan } from "../loadtest/plan.ts";
import { type LoadTestResult, runLoadTest, type ServerUnderTest } from "../loadtest/run.ts";
import { summarize, type Summary } from "../loadtest/summary.ts";
import { EXIT_CODES } from "../loadtest/verdict.ts";
import { type Address, formatAddress } from "../socket/network.ts";
import { systemClock, systemNetwork, systemRandom } from "../socket/system.ts";
import { startLiveView } from "./live_view.ts";
import { planOf, type RunValues } from "./loadtest_options.ts";
import { writeJunit, writeReport } from "./loadtest_report.ts";
import { summaryText } from "./loadtest_summary.ts";
import { loadTestCommand } from "./self.ts";

/** The cure for every child: they run on their main threads with it. */
const CURED: Readonly<Record<string, string>> = { [CURE_VARIABLE]: CURE_VALUE };
/** How long the server may take to come to nothing when the last client is done, ms. */
const ZERO_TIMEOUT = 5000;

/** Runs a load test; the exit code is the verdict's. */
export async function runFromOptions(values: RunValues, { args, onSignal }: Context): Promise<ExitCode> {
  const log = new Log({ json: values.json, quiet: values.quiet });
  const plan = planOf(values);
  const interrupted = new AbortController();
  onSignal(["SIGINT", "SIGTERM"], () => interrupted.abort());
  await using target = await prepareTarget(values, plan);
  using history = values.history === undefined ? undefined : new HistoryFile(values.history);
  log.info(describePlan(plan, target));

  const { generator, onEvent } = generatorFor(values, { plan, target, history });
  const cpuBefore = target.cpuSeconds();
  const startedAt = new Date();
  using view = await startLiveView(plan.clients, { quiet: values.quiet });
  const result = await runLoadTest({
    plan,
    generator,
    server: target,
    clock: systemClock,
    signal: interrupted.signal,
    onProgress: (progress) => view.update(progress),
    ...(onEvent ? { onEvent } : {}),
  });
  const cpuAfter = target.cpuSeconds();
  const measures = measure(result.ledger);
  const summary = summaryOf(values, {
    plan,
    result,
    measures,
    cpuSeconds: {
      server: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
      generator: generator.cpuSeconds(),
    },
  });
  history?.writeVerdict(
    summary.verdict,
    summary.thresholds.filter(({ holds }) => !holds).map(({ expression }) => expression),
  );
  view[Symbol.dispose]();
  const finished = { plan, ledger: result.ledger, measures, summary, startedAt };
  if (values.report !== undefined) await writeReport(values.report, { ...finished, args });
  if (values.junit !== undefined) await writeJunit(values.junit, finished);
  log.result(summaryText(summary), { ...summary });
  return EXIT_CODES[summary.verdict];
}

/** The server under test, and what it takes to reach and to measure it. */
interface Target extends ServerUnderTest, AsyncDisposable {
  readonly kind: "own" | "foreign";
  readonly addresses: readonly Address[];
  cpuSeconds(): number | null;
}

async function prepareTarget({ target, port }: RunValues, plan: Plan): Promise<Target> {
  if (target !== undefined) {
    plan.assertEnoughPorts(formatAddress(target));
    return {
      kind: "foreign",
      addresses: [target],
      finalState: () => Promise.resolve(null),
      cpuSeconds: () => null,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const hostnames = Array.from({ length: plan.loopbackAddresses }, (_, k) => `127.0.0.${k + 1}`);
  const server = await OwnServer.start({
    command: loadTestCommand("own-server"),
    env: CURED,
    hostnames,
    port,
    ackTimeout: plan.ackTimeout,
  });
  return {
    kind: "own",
    addresses: server.addresses,
    died: server.ended.then(describeEnd),
    finalState: () => server.untilZero(ZERO_TIMEOUT),
    cpuSeconds: () => server.usage().cpuSeconds,
    [Symbol.asyncDispose]: async () => void await server.stop(),
  };
}

interface Prepared {
  readonly plan: Plan;
  readonly target: Target;
  readonly history: HistoryFile | undefined;
}

function generatorFor(
  values: RunValues,
  { plan, target, history }: Prepared,
): { generator: Generator; onEvent?: LocalEvents } {
  const order: GeneratorRun = {
    run: {
      event: "run",
      schema: SCHEMA,
      seed: plan.options.seed,
      clients: plan.clients,
      protocol: "relay",
      server: target.kind,
      faults: false,
    },
    plan,
    targets: target.addresses,
  };
  const processes = values.processes ?? plan.processes;
  const onEvent = history && ((event: Parameters<LocalEvents>[0]) => history.write(event));
  if (processes > 1) {
    if (history) {
      throw new ExitError(`Cannot write a history of ${processes} processes: use --processes 1`);
    }
    return {
      generator: new GeneratorProcesses({
        ...order,
        command: loadTestCommand("generator"),
        env: CURED,
        processes,
      }),
    };
  }
  history?.write(order.run);
  const local = { ...order, network: systemNetwork, clock: systemClock, random: systemRandom };
  return onEvent === undefined
    ? { generator: new LocalGenerator(local) }
    : { generator: new LocalGenerator({ ...local, onEvent }), onEvent };
}

type LocalEvents = (event: Parameters<HistoryFile["write"]>[0]) => void;

function summaryOf(
  { threshold }: RunValues,
  { plan, result, measures, cpuSeconds }: {
    plan: Plan;
    result: LoadTestResult;
    measures: Measures;
    cpuSeconds: { server: number | null; generator: number | null };
  },
): Summary {
  const { ledger, judgement, durationMs } = result;
  return summarize({
    ledger,
    judgement,
    measures,
    plan,
    durationMs,
    cpuSeconds,
    thresholds: threshold,
  });
}

function describePlan(plan: Plan, target: Target): string {
  const { seed, window, arrival } = plan.options;
  const where = target.addresses.map(formatAddress).join(", ");
  return `${plan.clients} clients over ${window / 1000} s (${arrival}), seed ${seed}, ` +
    `at ${target.kind === "own" ? "an own server, " : ""}${where}`;
}
