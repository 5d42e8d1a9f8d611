/** The plan, target, and orders of a run with a scenario file. @module */
import { optionName } from "../../args/program.ts";
import { ExitCode, ExitError, UsageError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { tlsClient } from "../../client/tls_options.ts";
import type { GeneratorRun } from "../../../loadtest/generate/generator.ts";
import type { Plan } from "../../../loadtest/plan/plan.ts";
import { NO_USAGE, socketsOf, usageOf, usageSince } from "../../../loadtest/process/process_usage.ts";
import { ScenarioError } from "../../../loadtest/scenario/errors.ts";
import { askFinalState } from "../../../loadtest/scenario/final_state.ts";
import { prepareScenario, Teardown } from "../../../loadtest/scenario/prepare_scenario.ts";
import { scenarioRunEvent } from "../../../loadtest/scenario/scenario_plan.ts";
import { isOfScenarios } from "../../../loadtest/metrics/threshold.ts";
import type { Address } from "../../../socket/network.ts";
import { systemClock } from "../../../socket/tcp.ts";
import type { RunValues } from "../options.ts";
import type { ServerState } from "../../../loadtest/history/events.ts";
import { TargetAdmin } from "../target_admin.ts";
import type { ScenarioFile } from "./file.ts";
import { loadOf, planScenario, scenarioOptions, type ScenarioValues } from "./options.ts";
import type { Target } from "../target.ts";

/** Values of `loadtest.ts run`. */
export type RunCommandValues = RunValues & ScenarioValues & {
  readonly scenario: string | undefined;
  readonly check: boolean;
};

/** A run of a scenario that is ready; disposing of it calls `teardown`, unless it was called. */
export interface ScenarioRun extends AsyncDisposable {
  readonly plan: Plan;
  readonly target: Target;
  readonly order: GeneratorRun;
  /** Number of processes that run the clients. */
  readonly processes: number;
  /** Calls `teardown`. Resolves with what went wrong there, and where nothing could catch it. */
  finish(): Promise<readonly string[]>;
}

/** A `setup` that takes longer than this, in ms, says that it runs. */
const SILENT_MS = 1000;
/** Sockets that one process takes on. */
const SOCKETS_PER_PROCESS = 12_000;

/**
 * Makes a scenario ready: plans it, and calls `setup`.
 *
 * @throws {UsageError} If an option is missing or contradicts another, the data cannot be used, or `setup` throws or hangs.
 * @throws {ExitError} If `signal` aborts while `setup` runs.
 */
export async function prepareRun(
  { scenario, url, name, strayErrors }: ScenarioFile,
  values: RunCommandValues,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<ScenarioRun> {
  const { pid, maxLag } = values;
  const address = targetOf(values);
  const load = loadOf(values);
  const seed = values.seed ?? Math.floor(Math.random() * 2 ** 32);
  const { clients, window, timeout, deadline } = values;
  const admin = values.targetAdmin && await TargetAdmin.reach(values.targetAdmin);
  const plan = planScenario({ scenario, load, seed, clients, window, timeout, deadline });
  const tls = await tlsClient(values); // Before `setup`, so that a file that cannot be read leaves nothing set up.
  const socketsAtStart = pid === undefined ? undefined : socketsAt(pid);
  const slow = setTimeout(() => log.info(`Setting up ${name} …`), SILENT_MS);
  const prepared = await orExitError(
    () => prepareScenario(scenario, { clients: plan.clients, seed, load, file: url, signal }),
    { name, signal },
  ).finally(() => clearTimeout(slow));
  const teardown = new Teardown(prepared, { signal });
  const before = pid === undefined ? NO_USAGE : usageOf(pid);
  let used = { cpuSeconds: null as number | null, peakMemory: null as number | null };
  return {
    plan,
    processes: Math.ceil(plan.clients / SOCKETS_PER_PROCESS),
    order: {
      run: scenarioRunEvent({ scenario, name, load, plan, maxLag }),
      plan,
      targets: [address],
      scenario: prepared,
      ...(tls === undefined ? {} : { tls }),
    },
    target: {
      kind: "foreign",
      addresses: [address],
      tls,
      async finalState() {
        const descriptors = socketsAtStart && (() => newSockets(pid ?? 0, socketsAtStart));
        const state = await askFinalState(scenario, {
          clock: systemClock,
          file: url,
          ...(descriptors ? { descriptors } : {}),
        });
        const reported = await admin?.untilZero() ?? null;
        if (pid !== undefined) used = usageSince(before, usageOf(pid));
        return reported === null ? state : { ...reported, ...askedState(state, reported) };
      },
      usage: () => used,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    finish: async () => [...strayErrors(), ...[await teardown.call() ?? []].flat()],
    // The run failed before. A failure here must not hide why.
    [Symbol.asyncDispose]: async () => {
      const failure = await teardown.call();
      if (failure !== undefined) log.error(`Cannot tear down the scenario: ${failure}`);
    },
  };
}

/** The part of a state that an admin server does not report: custom figures, and sockets counted from outside. */
function askedState(state: ServerState | null, reported: ServerState): Partial<ServerState> {
  if (state === null) return {};
  const { descriptors, custom } = state;
  const unread = [reported.unread, state.unread].filter((one) => one !== undefined);
  return {
    descriptors,
    ...(custom === undefined ? {} : { custom }),
    ...(unread.length === 0 ? {} : { unread: unread.join(", and ") }),
  };
}

/**
 * Refuses options and metrics that go with a scenario only.
 *
 * @throws {UsageError} If one is given.
 */
export function refuseScenarioOptions(
  values: ScenarioValues & Pick<RunCommandValues, "threshold" | "check">,
): void {
  const metric = values.threshold.find(({ metric }) => isOfScenarios(metric))?.metric;
  if (metric !== undefined) {
    throw new UsageError(
      `Cannot use --threshold with ${metric}: only scenarios have it, as in loadtest.ts run SCENARIO.ts`,
    );
  }
  const given = (Object.keys(scenarioOptions) as (keyof ScenarioValues)[])
    .find((name) => values[name] !== undefined);
  if (given === undefined && values.check) return;
  throw new UsageError(
    `Option --${
      given === undefined ? "no-check" : optionName(given)
    } goes with a scenario, as in loadtest.ts run SCENARIO.ts, not with --protocol`,
  );
}

/**
 * Checks the options of a scenario.
 *
 * @throws {UsageError} If one is missing, or does not go with a scenario or another option.
 */
export function assertScenarioOptions(values: RunCommandValues): void {
  targetOf(values);
  refuseRelayOptions(values);
  loadOf(values);
}

/**
 * Returns the target of a scenario.
 *
 * @throws {UsageError} If it is missing.
 */
export function targetOf({ target }: Pick<RunValues, "target">): Address {
  if (target !== undefined) return target;
  throw new UsageError(
    "Option --target is missing: a scenario needs a server, as in --target 127.0.0.1:8080",
  );
}

/** Options that go with the built-in protocols only. */
function refuseRelayOptions(values: RunCommandValues): void {
  const { token, faults, port, protocol, replyDelay, payload, serverProcesses, cluster } = values;
  const given = [
    ["token", token !== undefined],
    ["faults", faults !== undefined],
    ["port", port !== undefined],
    ["protocol", protocol !== "relay"],
    ["reply-delay", replyDelay.type !== "none"],
    ["server-processes", serverProcesses > 1],
    ["cluster", cluster !== undefined],
    ["payload", payload.type !== "short"],
  ].find(([, one]) => one);
  if (given !== undefined) {
    throw new UsageError(`Option --${given[0]} goes with the built-in protocols, not with a scenario`);
  }
}

function socketsAt(pid: number): ReadonlySet<string> {
  const sockets = socketsOf(pid);
  if (sockets === null) {
    throw new UsageError(`Cannot count the sockets of process ${pid}: no such process, or not allowed`);
  }
  return new Set(sockets);
}

/** Sockets that the process did not have before the run; all that it had then may have gone. */
function newSockets(pid: number, before: ReadonlySet<string>): number | null {
  return socketsOf(pid)?.filter((socket) => !before.has(socket)).length ?? null;
}

async function orExitError<Result>(
  run: () => Promise<Result>,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof ScenarioError)) throw cause;
    if (!signal.aborted) throw new UsageError(cause.message, { cause });
    throw new ExitError(`Interrupted while setting up ${name}`, { cause, exitCode: ExitCode.interrupted });
  }
}
