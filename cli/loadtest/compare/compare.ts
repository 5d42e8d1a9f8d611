/** `loadtest.ts compare`: shows what changed between runs, from their summaries or by running both. @module */
import type { Context } from "../../run_program.ts";
import { flag, group, integer, text } from "../../args/option.ts";
import type { Command, Values } from "../../args/program.ts";
import { ExitCode, ExitError, UsageError } from "../../terminal/exit.ts";
import { Log } from "../../terminal/log.ts";
import {
  compareRuns,
  type Comparison,
  MOST_RUNS,
  type SummaryRecord,
} from "../../../loadtest/metrics/comparison.ts";
import { jsonOption, quietOption } from "../../shared/output_options.ts";
import { alternateRuns } from "./alternate_runs.ts";
import { comparisonMarkdown, comparisonText } from "./comparison_text.ts";
import { readSummaries } from "./summaries.ts";

/** `loadtest.ts compare`. */
export const compareCommand = {
  summary: "Compare runs, and distinguish changes from chance",
  positionals: {
    before: text({ help: "Summaries from --json, one line per run" }),
    after: text({ help: "Summaries of later runs" }),
  },
  options: {
    ...group("Comparison", {
      run: text({
        help: "A run to compare, instead of files, like 'run echo.ts'; give it twice",
        placeholder: "COMMAND",
        repeatable: true,
      }),
      rounds: integer({ help: "How often each --run runs", default: 5, min: 1, max: MOST_RUNS }),
      markdown: flag({ help: "Print Markdown, for a pull request" }),
    }),
    ...jsonOption,
    ...quietOption,
  },
  examples: [
    ["compare before.json after.json", "Compare a run with an earlier one"],
    ["compare five.json five-more.json --markdown", "Compare five runs with five later ones"],
    [
      "compare --run 'run --clients 5000' --run 'run --clients 5000 --transport epoll'",
      "Run both five times, in turn, and compare them",
    ],
  ],
} as const satisfies Command;

/** Values of {@linkcode compareCommand}. */
export type CompareValues = Values<typeof compareCommand.options> & Values<typeof compareCommand.positionals>;

/**
 * Compares runs.
 *
 * @returns `ok` if nothing became worse, `failure` if something did, `invalid` if the metrics of a run mean nothing.
 * @throws {UsageError} If there are neither two files nor two `--run`.
 * @throws {ExitError} If a file contains no summary, or a run does not start.
 */
export async function runCompare(values: CompareValues, context: Context): Promise<ExitCode> {
  const { before, after, run, rounds, markdown } = values;
  const log = new Log(values);
  if (run.length > 0) {
    const [one, other, ...more] = run;
    if (one === undefined || other === undefined || more.length > 0 || before !== undefined) {
      throw new UsageError("Cannot compare: expected two files, or --run twice");
    }
    return await compareByRunning({ runs: [one, other], rounds, markdown }, { log, context });
  }
  if (before === undefined || after === undefined) {
    throw new UsageError("Cannot compare: expected two files, or --run twice");
  }
  return await compareFiles({ before, after, markdown }, log);
}

/**
 * Compares the runs whose summaries are in two files.
 *
 * @throws {ExitError} If a file cannot be read or contains no summary.
 */
export async function compareFiles(
  files: { readonly before: string; readonly after: string; readonly markdown?: boolean },
  log: Log,
): Promise<ExitCode> {
  const [before, after] = [await readSummaries(files.before, log), await readSummaries(files.after, log)];
  const comparison = compared(before.summaries, after.summaries);
  const unreadable = before.unreadable + after.unreadable;
  return show(comparison, { log, markdown: files.markdown ?? false, extra: { unreadable } });
}

async function compareByRunning(
  { runs, rounds, markdown }: {
    readonly runs: readonly [string, string];
    readonly rounds: number;
    readonly markdown: boolean;
  },
  { log, context }: { readonly log: Log; readonly context: Context },
): Promise<ExitCode> {
  const interrupted = new AbortController();
  context.onSignal(["SIGINT", "SIGTERM"], () => interrupted.abort());
  try {
    const [before, after] = await alternateRuns({
      runs,
      rounds,
      signal: interrupted.signal,
      onRun: ({ name, round, summary }) => log.info(`Round ${round}, run ${name}: ${summary["verdict"]}`),
    });
    return show(compared(before, after), { log, markdown, extra: { runs, rounds } });
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.interrupted;
    throw error;
  }
}

function show(
  comparison: Comparison,
  { log, markdown, extra }: {
    readonly log: Log;
    readonly markdown: boolean;
    readonly extra: Readonly<Record<string, unknown>>;
  },
): ExitCode {
  const text = markdown ? comparisonMarkdown(comparison) : comparisonText(comparison);
  log.result(text, { event: "compared", ...comparison, ...extra });
  if (comparison.worse === null) return ExitCode.invalid;
  return comparison.worse ? ExitCode.failure : ExitCode.ok;
}

function compared(before: readonly SummaryRecord[], after: readonly SummaryRecord[]): Comparison {
  try {
    return compareRuns(before, after);
  } catch (cause) {
    if (cause instanceof RangeError) throw new ExitError(`Cannot compare: ${cause.message}`, { cause });
    throw cause;
  }
}
