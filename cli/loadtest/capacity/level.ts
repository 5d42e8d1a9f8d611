/** One level of a capacity search: a load test at one rate. @module */
import { ExitError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { classifyRun } from "../../../loadtest/capacity/classify.ts";
import type { Level } from "../../../loadtest/capacity/search.ts";
import { histogramsFor } from "../../../loadtest/metrics/abort_threshold.ts";
import { measure } from "../../../loadtest/metrics/measure.ts";
import { summarize, type Summary } from "../../../loadtest/metrics/summary.ts";
import { GIVE_UP_AFTER, runPlan } from "../../../loadtest/run_plan.ts";
import { systemClock } from "../../../socket/tcp.ts";
import { planOf } from "../options.ts";
import { orderOf, prepareGenerator } from "../prepare_generator.ts";
import type { ScenarioFile } from "../scenario/file.ts";
import { prepareRun, type RunCommandValues } from "../scenario/run.ts";
import { prepareTarget } from "../target.ts";
import type { CapacityValues } from "./capacity.ts";

/** A level with what was measured. */
export interface MeasuredLevel extends Level {
  readonly perSecond: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

/** A level to run. */
export interface LevelOptions {
  readonly file: ScenarioFile | undefined;
  /** Starts per second. */
  readonly rate: number;
  readonly confirms: boolean;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Runs a level.
 *
 * @throws {ExitError} If the target is not there.
 */
export async function runLevel(values: CapacityValues, options: LevelOptions): Promise<MeasuredLevel> {
  const { rate, confirms } = options;
  const summary = await summaryOf(values, options);
  const unreachable = summary.findings.find(({ kind }) => kind === "unreachable");
  if (unreachable !== undefined) throw new ExitError(`Cannot find the capacity: ${unreachable.text}`);
  const { p50, p99 } = summary.latency.fromPlanned;
  return { rate, confirms, ...classifyRun(summary), perSecond: perSecondOf(summary), p50, p99 };
}

async function summaryOf(
  values: CapacityValues,
  { file, rate, confirms, signal, log }: LevelOptions,
): Promise<Summary> {
  const level = levelValues(values, { file, rate, length: lengthOf(values, confirms) });
  await using scenario = file && await prepareRun(file, level, { log, signal });
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
    ...(scenario && { finish: () => scenario.finish() }),
    ...(target.kind === "foreign" && { giveUpAfter: GIVE_UP_AFTER }),
  });
  return summarize({
    ...result,
    measures: measure(result.ledger),
    plan,
    usage: { server: target.usage(), generator: prepared.generator.usage() },
    thresholds: values.until,
  });
}

/** Returns the duration of a level, in ms. */
export function lengthOf({ confirmDuration, levelDuration }: CapacityValues, confirms: boolean): number {
  return confirms ? confirmDuration : levelDuration;
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
    agentTls: false,
    agentTlsCa: undefined,
    agentTlsCert: undefined,
    agentTlsKey: undefined,
    admin: undefined,
    adminToken: undefined,
    adminName: [],
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
