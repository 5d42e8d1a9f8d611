/** `loadtest.ts capacity [SCENARIO.ts]`: finds the highest rate that a server sustains. @module */
import type { Context } from "../../run_program.ts";
import { custom, duration, group, integer, text } from "../../args/option.ts";
import type { Command, Values } from "../../args/program.ts";
import { ExitCode, UsageError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { describeEarlyEnd } from "../../../loadtest/capacity/early_end.ts";
import {
  type Capacity,
  describeCapacity,
  describeDoubt,
  findCapacity,
} from "../../../loadtest/capacity/search.ts";
import { parseThreshold } from "../../../loadtest/metrics/threshold.ts";
import { parseRate, RATE_NOTATION } from "../../../loadtest/scenario/load_shape.ts";
import { formatDuration } from "../../../internal/duration.ts";
import { formatAddress } from "../../../socket/network.ts";
import { invocation, quoteWord } from "../../shared/invocation.ts";
import { logFailure, startLog } from "../../shared/program_log.ts";
import { runOptions } from "../options.ts";
import { assertWritable, writeWhole } from "../../shared/output_file.ts";
import { openScenarioFile, type ScenarioFile } from "../scenario/file.ts";
import { checkOption, scenarioOptions } from "../scenario/options.ts";
import { targetOf } from "../scenario/run.ts";
import { lengthOf, type MeasuredLevel, runLevel } from "./level.ts";
import { describeLevel, describeTry, levelTable } from "./text.ts";

const {
  clients: _clients,
  window: _window,
  arrival: _arrival,
  deadline: _deadline,
  threshold: _threshold,
  history: _history,
  junit: _junit,
  out: _out,
  // Each level is a run of its own, which nothing can watch, and agents cannot take part in.
  agents: _agents,
  agentToken: _agentToken,
  agentTls: _agentTls,
  agentTlsCa: _agentTlsCa,
  agentTlsCert: _agentTlsCert,
  agentTlsKey: _agentTlsKey,
  admin: _admin,
  adminToken: _adminToken,
  adminName: _adminName,
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
        help: "A bound that must hold at a rate for the server to sustain it",
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
    pid: scenarioOptions.pid,
    ...checkOption,
    ...shared,
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

/**
 * Finds the capacity. Exit code 0 when a limit of the server was found, or no limit up to `--max-rate`; 3 when the
 * generator or the network was the limit; 1 when no rate held; 130 when it was interrupted.
 *
 * @throws {ExitError} If nothing can be started, or the target is not there.
 */
export async function runCapacity(values: CapacityValues, context: Context): Promise<ExitCode> {
  using log = await startLog("loadtest", values, { verbose: false });
  return await logFailure(log, () => searchAndReport(values, log, context));
}

async function searchAndReport(
  values: CapacityValues,
  log: Log,
  { args, onSignal }: Context,
): Promise<ExitCode> {
  const { report } = values;
  const interrupted = new AbortController();
  const { signal } = interrupted;
  onSignal(["SIGINT", "SIGTERM"], () => interrupted.abort());
  assertSearchable(values);
  using file = values.scenario === undefined ? undefined : await openScenarioFile(values.scenario, {
    check: values.check,
    log,
    signal,
    assertOptions: () => targetOf(values),
  });
  assertWritable({ "--report": report });
  const unit = file === undefined ? "clients" : file.scenario.message === undefined ? "sessions" : "messages";
  const levels: MeasuredLevel[] = [];
  const capacity = await findCapacity({
    start: values.startRate,
    most: values.maxRate,
    signal,
    run: async (rate, { confirms }) => {
      const level = await runLevel(values, { file, rate, confirms, signal, log });
      if (!signal.aborted) levels.push(level);
      return level;
    },
    onTry: (rate, { step, confirms }) => {
      const length = lengthOf(values, confirms);
      log.info(describeTry({ rate, unit, step, length, first: levels.length === 0 }));
    },
    onLevel: () => log.info(describeLevel(levels.at(-1)!, unit)),
  });
  const answer = describeCapacity(capacity, unit);
  const doubt = describeDoubt(capacity, unit);
  const early = describeEarlyEnd(capacity, unit);
  const { ending, low, high, why } = capacity;
  const said = [
    answer,
    ...(doubt === undefined ? [] : [`  ${doubt}; find their cause with loadtest.ts run`]),
    ...(early === undefined ? [] : [
      `  ${early}`,
      `  Fix ${file === undefined ? "the server" : "the server or the scenario"}; to look at one run: ${
        runAgain(values, file, levels.at(-1)!)
      }`,
    ]),
  ];
  log.result([...said, ...(levels.length === 0 ? [] : ["", levelTable(levels)])].join("\n"), {
    event: "capacity",
    ending,
    low,
    high,
    why,
    doubt: doubt ?? null,
    early: early ?? null,
    unit,
    levels,
  });
  if (report !== undefined && levels.length > 0) {
    const { renderCapacityReport } = await import("../../../loadtest/capacity/report.ts");
    await writeWhole(report, renderCapacityReport({ answer, doubt, early, ending, levels, unit, args }));
  }
  return exitCodeOf(capacity);
}

/** Returns the command that runs one level on its own. */
function runAgain(values: CapacityValues, file: ScenarioFile | undefined, { rate }: MeasuredLevel): string {
  const { scenario, target, protocol, clients, levelDuration } = values;
  const duration = formatDuration(levelDuration);
  const started = Math.max(1, Math.round(rate * levelDuration / 1000));
  const words = [
    ...(scenario === undefined ? [] : ["run", scenario]),
    ...(protocol === "relay" ? [] : ["--protocol", protocol]),
    ...(target === undefined ? [] : ["--target", formatAddress(target)]),
    ...(file?.scenario.message === undefined ? [] : ["--clients", `${clients}`]),
    ...(scenario === undefined
      ? ["--clients", `${started}`, "--window", duration]
      : ["--rate", `${rate}/s`, "--duration", duration]),
  ];
  return [invocation("loadtest"), ...words.map(quoteWord)].join(" ");
}

/** @throws {UsageError} If the options leave nothing to search. */
function assertSearchable({ scenario, pid, startRate, maxRate }: CapacityValues): void {
  if (scenario === undefined && pid !== undefined) throw new UsageError("Option --pid goes with a scenario");
  if (startRate > maxRate) {
    throw new UsageError(
      `Cannot use --max-rate ${maxRate}/s: expected at least --start-rate, which is ${startRate}/s`,
    );
  }
}

function exitCodeOf({ ending, low }: Capacity): ExitCode {
  switch (ending) {
    case "server":
      return ExitCode.ok;
    case "not found":
      return low > 0 ? ExitCode.ok : ExitCode.failure;
    case "interrupted":
      return ExitCode.interrupted;
    case "generator":
    case "network":
      return ExitCode.invalid;
  }
}
