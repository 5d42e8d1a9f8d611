/** `loadtest.ts run`: starts and ends one load test with its spawned server and its generators. @module */
import type { Context } from "../run_program.ts";
import { ExitCode, ExitError, UsageError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { quoted } from "../../internal/printable.ts";
import { AgentError } from "../../loadtest/agent/agent_process.ts";
import { formatFaults } from "../../loadtest/plan/fault_spec.ts";
import { histogramsFor } from "../../loadtest/metrics/abort_threshold.ts";
import { measure } from "../../loadtest/metrics/measure.ts";
import { RunControl } from "../../loadtest/pace/run_control.ts";
import type { Plan } from "../../loadtest/plan/plan.ts";
import { GIVE_UP_AFTER, runPlan } from "../../loadtest/run_plan.ts";
import { HistoryMerger } from "../../loadtest/history/merge.ts";
import { crossedThresholds, summarize } from "../../loadtest/metrics/summary.ts";
import { groupFindings } from "../../loadtest/judge/findings.ts";
import { EXIT_CODES } from "../../loadtest/judge/verdict.ts";
import { plural } from "../../internal/plural.ts";
import { formatAddress } from "../../socket/network.ts";
import { systemClock } from "../../socket/tcp.ts";
import { fileError, isFileError } from "../shared/file_error.ts";
import { hasTelemetry } from "../shared/telemetry_environment.ts";
import { logFailure, startLog } from "../shared/program_log.ts";
import { agentGenerators, processesAt } from "./agents.ts";
import { planOf, type RunValues } from "./options.ts";
import { openScenarioFile, type ScenarioFile } from "./scenario/file.ts";
import { loadOf } from "./scenario/options.ts";
import { describeScenarioPlan } from "./scenario/plan_text.ts";
import {
  assertScenarioOptions,
  prepareRun,
  refuseScenarioOptions,
  type RunCommandValues,
} from "./scenario/run.ts";
import { orderOf, prepareGenerator } from "./prepare_generator.ts";
import { startLiveView } from "./live_view.ts";
import { assertWritable } from "../shared/output_file.ts";
import { writeCsv, writeJunit, writeReport } from "./report.ts";
import { summaryText } from "./summary_text.ts";
import { prepareTarget, type Target } from "./target.ts";

/**
 * Runs a load test; the exit code is the verdict's. The first Ctrl-C stops the clients and judges what there is, a
 * second one ends at once: what this program has started ends with it.
 *
 * @throws {ExitError} When nothing can be started.
 */
export async function runFromOptions(
  values: RunCommandValues,
  { args, onSignal }: Context,
): Promise<ExitCode> {
  const interrupted = new AbortController();
  const twice = Promise.withResolvers<ExitCode>();
  onSignal(["SIGINT", "SIGTERM"], () => {
    if (interrupted.signal.aborted) twice.resolve(ExitCode.interrupted);
    interrupted.abort();
  });
  using log = await startLog("loadtest", values, { verbose: false });
  const running = logFailure(log, () => runAndReport(values, { args, log, interrupted }));
  return await Promise.race([running, twice.promise]);
}

async function runAndReport(
  values: RunCommandValues,
  { args, log, interrupted }: {
    readonly args: readonly string[];
    readonly log: Log;
    readonly interrupted: AbortController;
  },
): Promise<ExitCode> {
  const { report, junit, out } = values;
  refuseWithAgents(values);
  if (values.scenario === undefined) refuseScenarioOptions(values);
  using file = values.scenario === undefined ? undefined : await openScenarioFile(values.scenario, {
    check: values.check,
    log,
    signal: interrupted.signal,
    assertOptions: () => assertScenarioOptions(values),
  });
  await using scenario = file && await prepareRun(file, values, { log, signal: interrupted.signal });
  const plan = scenario?.plan ?? planOf(values);
  assertWritable({ "--history": values.history, "--report": report, "--junit": junit, "--out": out });
  using history = openHistory(values);
  await using target = scenario?.target ??
    await prepareTarget(values, plan, history?.serverPath);
  log.info(describePlan(values, { plan, target, file }));

  // Loaded only when it is used: its packages take time to load.
  const watched = values.admin === undefined && !hasTelemetry() ? undefined : await import("./watch_run.ts");
  const control = new RunControl();
  await using watch = await watched?.watchRun(plan.clients, values, {
    log,
    control,
    stop: () => interrupted.abort(),
  });
  const order = scenario?.order ?? orderOf(values, plan, target);
  const remote = await agentGenerators(values, order.scenario);
  const wanted = values.processes ?? (scenario?.processes ?? plan.processes);
  const processes = values.agents === undefined ? wanted : processesAt(values.agents, wanted);
  using prepared = await prepareGenerator({ ...order, watched: histogramsFor(values.threshold) }, {
    processes,
    transport: values.transport,
    history,
    signal: interrupted.signal,
    ...(remote && { remote }),
  });
  using view = await startLiveView(plan.clients, {
    quiet: !log.writes("info"),
    scenario: file !== undefined,
    warn: (text) => log.warn(text),
    ...(values.logFormat === "json" && { print: (line: string) => log.access(line) }),
  });
  const result = await runPlan({
    plan,
    generator: prepared.generator,
    server: target,
    clock: systemClock,
    signal: interrupted.signal,
    control,
    thresholds: values.threshold,
    ...(target.kind === "foreign" && { giveUpAfter: GIVE_UP_AFTER }),
    ...(order.scenario && { load: order.scenario.load }),
    ...(scenario && { finish: () => scenario.finish() }),
    onProgress: (progress) => {
      view.update(progress);
      watch?.monitor.update(progress);
    },
    ...(history && { onEvent: (event) => history.record(event) }),
  });
  view[Symbol.dispose]();
  watch?.monitor.judging();
  const measures = measure(result.ledger);
  const summary = summarize({
    ...result,
    measures,
    plan,
    usage: { server: target.usage(), generator: prepared.generator.usage() },
    thresholds: values.threshold,
  });
  const { own, following } = groupFindings(summary);
  const cause = summary.cause === undefined ? [] : [summary.cause.text];
  watch?.monitor.judged(summary.verdict, [...cause, ...[...own, ...following].map(({ text }) => text)]);
  const startedAt = new Date(performance.timeOrigin + prepared.generator.begin);
  const finished = { plan, ledger: result.ledger, measures, summary, startedAt };
  const unwritten = await failuresOf([
    async () => {
      const { verdict } = summary;
      const writing = `write the history ${quoted(values.history ?? "")}`;
      try {
        await prepared.collectHistory();
        await history?.finish(order.run, { parts: processes, verdict, crossed: crossedThresholds(summary) });
      } catch (cause) {
        if (cause instanceof AgentError) {
          throw new ExitError(`Cannot ${writing}: ${cause.message}`, { cause });
        }
        throw isFileError(cause) ? fileError(writing, cause) : cause;
      }
    },
    async () => report === undefined ? undefined : await writeReport(report, { ...finished, args }),
    async () => junit === undefined ? undefined : await writeJunit(junit, finished),
    async () => out === undefined ? undefined : await writeCsv(out, finished),
  ]);
  log.result(summaryText(summary), { ...summary });
  for (const { message } of unwritten) log.error(message);
  const code = EXIT_CODES[summary.verdict];
  return code === ExitCode.ok && unwritten.length > 0 ? ExitCode.failure : code;
}

/** @throws {UsageError} If an option does not go with agents. */
function refuseWithAgents({ agents, target }: RunCommandValues): void {
  if (agents === undefined || target !== undefined) return;
  throw new UsageError("Option --target is missing: agents need a server that they can reach");
}

/** Writes one file after another. One that fails, as on a full disk, takes neither the others nor the result along. */
async function failuresOf(writes: readonly (() => Promise<void>)[]): Promise<ExitError[]> {
  const failures: ExitError[] = [];
  for (const write of writes) {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
      failures.push(error);
    }
  }
  return failures;
}

function openHistory({ history }: RunValues): HistoryMerger | undefined {
  if (history === undefined) return undefined;
  try {
    return new HistoryMerger(history);
  } catch (cause) {
    throw fileError(`write the history ${quoted(history)}`, cause);
  }
}

function inProcesses({ serverProcesses, cluster }: RunCommandValues): string {
  const parts = serverProcesses === 1 ? "" : ` in ${serverProcesses} processes`;
  return cluster === undefined ? parts : `${parts} in a cluster`;
}

function describePlan(
  values: RunCommandValues,
  { plan, target, file }: {
    readonly plan: Plan;
    readonly target: Target;
    readonly file: ScenarioFile | undefined;
  },
): string {
  const { protocol, faults } = values;
  const { seed, window, arrival } = plan.options;
  const where = target.addresses.map(formatAddress).join(", ");
  if (file !== undefined) {
    const { name, scenario: { message } } = file;
    const facts = {
      name,
      byMessage: message !== undefined,
      load: loadOf(values),
      clients: plan.clients,
      window,
    };
    return `${describeScenarioPlan(facts)}, seed ${seed}, at ${where}`;
  }
  const server =
    (target.kind === "own" ? `a spawned ${protocol} server${inProcesses(values)}, ${where}` : where) +
    (target.tls === undefined ? "" : ", over TLS");
  const spoilt = faults === undefined ? "" : `, with faults ${formatFaults(faults)}`;
  return `${plural(plan.clients, "client")} over ${
    window / 1000
  } s (${arrival}), seed ${seed}, at ${server}${spoilt}`;
}
