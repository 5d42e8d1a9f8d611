/** Makes the generator of a run ready, in this process or in several. @module */
import { FAIR_IO_ENV } from "../run_program.ts";
import { type Generator, type GeneratorRun, LocalGenerator } from "../../loadtest/generate/generator.ts";
import { localGenerators, type StartGenerator } from "../../loadtest/generate/generator_process.ts";
import { GeneratorError, WorkerPool, type WorkerPoolOptions } from "../../loadtest/generate/worker_pool.ts";
import { RULES, SCHEMA } from "../../loadtest/history/events.ts";
import { formatHistoryLine } from "../../loadtest/history/line_format.ts";
import { LineFile } from "../../loadtest/history/line_file.ts";
import type { HistoryMerger } from "../../loadtest/history/merge.ts";
import type { Plan } from "../../loadtest/plan/plan.ts";
import { ThreadLoadMeter } from "../../loadtest/process/thread_load.ts";
import { securedNetwork } from "../../tls/lazy.ts";
import { systemClock, systemRandom } from "../../socket/tcp.ts";
import { ExitCode, ExitError } from "../terminal/exit.ts";
import { transportArguments, type TransportName, transportNetwork } from "../shared/transport_option.ts";
import type { RunValues } from "./options.ts";
import { PART_NAMES, respawnCommand, respawnForScenario } from "./respawn.ts";
import type { Target } from "./target.ts";

/** Settings of the clients of a built-in protocol. */
export function orderOf(
  { protocol, faults, token, maxLag }: RunValues,
  plan: Plan,
  target: Target,
): GeneratorRun {
  return {
    run: {
      event: "run",
      schema: SCHEMA,
      seed: plan.options.seed,
      clients: plan.clients,
      protocol,
      server: target.kind,
      faults: faults !== undefined,
      maxLag,
      rules: RULES,
    },
    plan,
    targets: target.addresses,
    ...(faults && { faults }),
    ...(target.tls && { tls: target.tls }),
    ...(token === undefined ? {} : { token }),
  };
}

/** A generator that is ready, and what it keeps open until it has run. */
export interface PreparedGenerator extends Disposable {
  readonly generator: Generator;
  /**
   * Completes the parts of the history, once the generator has run.
   *
   * @throws {AgentError} If an agent is lost before its last event
   * @throws {Error} What the OS reported if a part could not be written
   */
  collectHistory(): Promise<void>;
}

/** The process and the sockets of a generator. */
export interface GeneratorResources {
  readonly processes: number;
  readonly transport: TransportName | undefined;
  readonly history: HistoryMerger | undefined;
  /** Starts generators on other machines. Default: they run on this one. */
  readonly remote?: StartGenerator;
  /** Interrupts the start. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a generator ready: in this process, or in several.
 *
 * @throws {ExitError} If an agent cannot be used, a process is not ready in time, or `signal` aborts.
 */
export async function prepareGenerator(
  order: GeneratorRun,
  { processes, transport, history, remote, signal }: GeneratorResources,
): Promise<PreparedGenerator> {
  // Code of a user runs in a process of its own: one that crashes or hangs is a finding.
  if (processes > 1 || order.scenario !== undefined || remote !== undefined) {
    const command = order.scenario === undefined ? respawnCommand : respawnForScenario;
    const generator = await startPool({
      ...order,
      signal,
      startProcess: remote ??
        localGenerators(command(PART_NAMES.generator, ...transportArguments(transport)), FAIR_IO_ENV),
      processes,
      ...(history && {
        historyOf: (part) => history.partPath(part),
        onEvent: (event) => history.record(event),
      }),
    });
    return { generator, collectHistory: () => generator.collectHistories(), [Symbol.dispose]() {} };
  }
  const { tls, ...rest } = order;
  const network = await transportNetwork(transport);
  const file = history && new LineFile(history.partPath(0));
  const meter = new ThreadLoadMeter();
  const generator = new LocalGenerator({
    ...rest,
    meter,
    network,
    clientNetwork: await securedNetwork(network, tls),
    clock: systemClock,
    random: systemRandom,
    ...(file && { onEvent: (event) => file.write(formatHistoryLine(event)) }),
  });
  return {
    generator,
    collectHistory: () => Promise.try(() => file?.[Symbol.dispose]()),
    [Symbol.dispose]: () => {
      meter[Symbol.dispose]();
      file?.[Symbol.dispose]();
    },
  };
}

/** @throws {ExitError} If a process is not ready in time, or `signal` aborts. */
async function startPool(options: WorkerPoolOptions): Promise<WorkerPool> {
  try {
    return await WorkerPool.start(options);
  } catch (cause) {
    if (!(cause instanceof GeneratorError)) throw cause;
    if (!options.signal?.aborted) {
      throw new ExitError(`Cannot start the clients: ${cause.message}`, { cause });
    }
    throw new ExitError("Interrupted while starting the clients", { cause, exitCode: ExitCode.interrupted });
  }
}
