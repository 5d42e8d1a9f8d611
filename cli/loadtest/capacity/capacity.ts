/** `loadtest.ts capacity [SCENARIO.ts]`: finds the highest rate that a server sustains. @module */
import type { Context } from "../../run_program.ts";
import { custom, duration, group, integer, text } from "../../args/option.ts";
import type { Command, Values } from "../../args/program.ts";
import { ExitCode, UsageError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import { formatTable } from "../../terminal/table.ts";
import { classifyRun } from "../../../loadtest/capacity/classify.ts";
import {
  type Capacity,
  describeCapacity,
  findCapacity,
  type Level,
} from "../../../loadtest/capacity/search.ts";
import { histogramsFor } from "../../../loadtest/metrics/abort_threshold.ts";
import { measure } from "../../../loadtest/metrics/measure.ts";
import { summarize, type Summary } from "../../../loadtest/metrics/summary.ts";
import { parseThreshold } from "../../../loadtest/metrics/threshold.ts";
import { runPlan } from "../../../loadtest/run_plan.ts";
import { parseRate, RATE_NOTATION } from "../../../loadtest/scenario/load_shape.ts";
import { systemClock } from "../../../socket/tcp.ts";
import { planOf, runOptions } from "../options.ts";
import { assertWritable, writeWhole } from "../../shared/output_file.ts";
import { orderOf, prepareGenerator } from "../prepare_generator.ts";
import { openScenarioFile, type ScenarioFile } from "../scenario/file.ts";
import { scenarioOptions } from "../scenario/options.ts";
import { prepareRun, type RunCommandValues } from "../scenario/run.ts";
import { prepareTarget } from "../target.ts";

const {
  clients: _clients,
  window: _window,
  arrival: _arrival,
  deadline: _deadline,
  threshold: _threshold,
  history: _history,
  junit: _junit,
  out: _out,
  ...shared
} = runOptions;

/** `capacity` on the command line. */
export const capacityCommand = {
  summary: "Find the highest rate that a server sustains",
  positionals: {
    scenario: text({ help: "A scenario file. Default: relay clients, against a spawned relay" }),
  },
  options: {
    ...group("Capacity", {
      clients: integer({ help: "Connections, for a scenario with message(t)", default: 100, min: 1 }),
      until: custom(parseThreshold, {
        help: "A bound that must hold at a rate for the server to sustain it; may repeat",
        accepts: "a metric, an operator, and a bound, as in fromPlanned.p99<50ms or lost==0",
        placeholder: "EXPR",
        format: (threshold) => threshold.expression,
        repeatable: true,
        defaultText: "lost==0 always",
      }),
      levelDuration: duration({ help: "How long each rate is tried", default: 5000, min: 100 }),
      confirmDuration: duration({ help: "How long the answer is confirmed", default: 15_000, min: 100 }),
      startRate: custom(parseRate, {
        help: "First rate",
        accepts: RATE_NOTATION,
        placeholder: "N/s",
        format: (rate) => `${rate}/s`,
        default: 100,
      }),
      maxRate: custom(parseRate, {
        help: "Highest rate",
        accepts: RATE_NOTATION,
        placeholder: "N/s",
        format: (rate) => `${rate}/s`,
        default: 1_000_000,
      }),
    }),
    ...shared,
    pid: scenarioOptions.pid,
  },
  examples: [
    [
      "capacity --until 'fromPlanned.p99<50ms'",
      "Relay clients per second at which 99 % have their ok within 50 ms",
    ],
    ["capacity echo.ts --target 127.0.0.1:7 --until 'p99<5ms'", "Messages per second of a scenario"],
  ],
} as const satisfies Command;

/** Values of {@linkcode capacityCommand}. */
export type CapacityValues = Values<typeof capacityCommand.options> & {
  readonly scenario: string | undefined;
};

/** A level with what was measured. */
export interface MeasuredLevel extends Level {
  readonly perSecond: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

/**
 * Finds the capacity. Exit code 0 when a limit of the server was found, or no limit up to `--max-rate`; 3 when the
 * generator or the network was the limit; 1 when no rate held.
 */
export async function runCapacity(values: CapacityValues, { args, onSignal }: Context): Promise<ExitCode> {
  const { json, quiet, report } = values;
  const log = new Log({ json, quiet });
  const interrupted = new AbortController();
  onSignal(["SIGINT", "SIGTERM"], () => interrupted.abort());
  const file = values.scenario === undefined
    ? undefined
    : await openScenarioFile(values.scenario, { log, signal: interrupted.signal });
  assertWritable({ "--report": report });
  const unit = file === undefined ? "clients" : file.scenario.message === undefined ? "sessions" : "messages";
  const levels: MeasuredLevel[] = [];
  let capacity: Capacity;
  try {
    capacity = await findCapacity({
      start: values.startRate,
      most: values.maxRate,
      run: async (rate, { confirms }) => {
        const summary = await runLevel(values, { file, rate, confirms, signal: interrupted.signal });
        if (interrupted.signal.aborted) throw new Interrupted();
        const result = classifyRun(summary);
        const { p50, p99 } = summary.latency.fromPlanned;
        levels.push({ rate, confirms, ...result, perSecond: perSecondOf(summary), p50, p99 });
        return result;
      },
      onLevel: ({ rate, result, why, confirms }) =>
        log.info(
          `${rate.toLocaleString("en")} ${unit}/s${confirms ? ", confirming" : ""}: ${result}${
            why === "" ? "" : ` (${why})`
          }`,
        ),
    });
  } catch (error) {
    if (error instanceof Interrupted) return ExitCode.interrupted;
    throw error;
  }
  const answer = describeCapacity(capacity, unit);
  const { ending, low, high, why } = capacity;
  log.result([answer, "", levelTable(levels)].join("\n"), {
    event: "capacity",
    ending,
    low,
    high,
    why,
    unit,
    levels,
  });
  if (report !== undefined) {
    const { renderCapacityReport } = await import("../../../loadtest/capacity/report.ts");
    await writeWhole(report, renderCapacityReport({ answer, ending, levels, unit, args }));
  }
  if (ending === "server" || (ending === "not found" && low > 0)) return ExitCode.ok;
  return ending === "not found" ? ExitCode.failure : ExitCode.invalid;
}

class Interrupted extends Error {}

async function runLevel(
  values: CapacityValues,
  { file, rate, confirms, signal }: {
    readonly file: ScenarioFile | undefined;
    readonly rate: number;
    readonly confirms: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Summary> {
  const level = levelValues(values, {
    file,
    rate,
    length: confirms ? values.confirmDuration : values.levelDuration,
  });
  await using scenario = file && await prepareRun(file, level);
  const plan = scenario?.plan ?? planOf(level);
  await using target = scenario?.target ?? await prepareTarget(level, plan);
  const order = scenario?.order ?? orderOf(level, plan, target);
  const processes = values.processes ?? (scenario?.processes ?? plan.processes);
  using prepared = await prepareGenerator({ ...order, watched: histogramsFor(values.until) }, {
    processes,
    transport: values.transport,
    history: undefined,
  });
  const result = await runPlan({
    plan,
    generator: prepared.generator,
    server: target,
    clock: systemClock,
    thresholds: values.until,
    signal,
  });
  return summarize({
    ...result,
    measures: measure(result.ledger),
    plan,
    usage: { server: target.usage(), generator: prepared.generator.usage() },
    thresholds: values.until,
  });
}

/** The first part of a level is not measured: connections warm up. */
const WARM_UP = 0.2;
/** Shortest time in which the connections of a level are opened, in ms, and the most of them that are opened per ms. */
const SHORTEST_WINDOW = 300;
const OPENED_PER_MS = 2;
/** Longest wait for a reply, unless `--timeout` says otherwise, in ms: a level that is too much must come to its end. */
const TIMEOUT = 10_000;

function levelValues(
  values: CapacityValues,
  { file, rate, length }: {
    readonly file: ScenarioFile | undefined;
    readonly rate: number;
    readonly length: number;
  },
): RunCommandValues {
  const byMessage = file?.scenario.message !== undefined;
  const window = byMessage ? Math.max(SHORTEST_WINDOW, values.clients / OPENED_PER_MS) : length;
  const clients = byMessage ? values.clients : Math.max(1, Math.round(rate * length / 1000));
  if (file === undefined && values.pid !== undefined) {
    throw new UsageError("Option --pid goes with a scenario");
  }
  return {
    ...values,
    clients,
    window,
    arrival: "uniform",
    deadline: undefined,
    timeout: values.timeout ?? (file === undefined ? undefined : TIMEOUT),
    threshold: values.until,
    history: undefined,
    agents: undefined,
    agentToken: undefined,
    junit: undefined,
    out: undefined,
    messages: undefined,
    inFlight: undefined,
    think: undefined,
    stages: undefined,
    rate: file === undefined ? undefined : rate,
    duration: file === undefined ? undefined : length,
    warmup: (byMessage ? window : 0) + WARM_UP * length,
  };
}

function perSecondOf({ scenario, acked, durationMs }: Summary): number {
  return scenario?.perSecond ?? Math.round(1000 * acked / Math.max(1, durationMs));
}

function levelTable(levels: readonly MeasuredLevel[]): string {
  const ms = (value: number | null): string => value === null ? "-" : value.toFixed(1);
  return formatTable({
    head: ["rate, 1/s", "answered, 1/s", "p50, ms", "p99, ms", "result"],
    rows: levels.map(({ rate, perSecond, p50, p99, result, confirms }) => [
      rate,
      perSecond,
      ms(p50),
      ms(p99),
      `${result}${confirms ? " (longer run)" : ""}`,
    ]),
  });
}
