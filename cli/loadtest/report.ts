/** The report, the JUnit file, and the CSV file of a load test. @module */
import { cpus, release } from "node:os";
import { formatSize } from "../../internal/size.ts";
import { VERSION } from "../run_program.ts";
import { invocation, quoteWord } from "../shared/invocation.ts";
import { renderCsv } from "../../loadtest/report/csv.ts";
import { renderJunit } from "../../loadtest/report/junit.ts";
import type { Ledger } from "../../loadtest/ledger/ledger.ts";
import type { Measurements } from "../../loadtest/metrics/measure.ts";
import type { Plan } from "../../loadtest/plan/plan.ts";
import type { Summary } from "../../loadtest/metrics/summary.ts";
import { plural } from "../../internal/plural.ts";
import { writeWhole } from "../shared/output_file.ts";

/** A finished run. */
export interface FinishedRun {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly measures: Measurements;
  readonly summary: Summary;
  /** The start of the run. */
  readonly startedAt: Date;
}

/**
 * Writes the report of a run.
 *
 * @param file The file to write or replace.
 * @param run The run and `args`, its command line.
 * @throws {ExitError} If the file cannot be written.
 */
export async function writeReport(
  file: string,
  run: FinishedRun & { args: readonly string[] },
): Promise<void> {
  // Loaded here, because only a report needs its plotting library.
  const { renderReport } = await import("../../loadtest/report/report.ts");
  const command = commandAgain(run.args, run.summary.seed);
  await writeWhole(file, renderReport({ ...run, command, version: VERSION, machine: machineFacts() }));
}

/**
 * Writes the result of a run as JUnit XML.
 *
 * @param file The file to write or replace.
 * @throws {ExitError} If the file cannot be written.
 */
export async function writeJunit(file: string, { summary, ledger, startedAt }: FinishedRun): Promise<void> {
  await writeWhole(file, renderJunit({ summary, startedAt, faults: ledger.run.faults }));
}

/**
 * Writes a run as CSV, a row per second.
 *
 * @param file The file to write or replace.
 * @throws {ExitError} If the file cannot be written.
 */
export async function writeCsv(file: string, { ledger }: FinishedRun): Promise<void> {
  await writeWhole(file, renderCsv(ledger));
}

/**
 * Returns the command line that runs the same plan again: the given one, with the seed. It omits a token, because reports
 * are shared.
 *
 * @example
 * ```ts
 * import { commandAgain } from "./report.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const again = commandAgain(["--clients", "10", "--payload", "file:my words.txt"], 7);
 * assertStringIncludes(again, "loadtest.ts --clients 10 --payload 'file:my words.txt' --seed 7");
 * ```
 */
export function commandAgain(args: readonly string[], seed: number): string {
  const seeded = args.some((arg) => arg === "--seed" || arg.startsWith("--seed="));
  const words = [...withoutToken(args), ...(seeded ? [] : ["--seed", String(seed)])].map(quoteWord);
  return [invocation("loadtest"), ...words].join(" ");
}

function withoutToken(args: readonly string[]): string[] {
  const isToken = (arg: string | undefined): boolean => arg === "--token" || arg === "--agent-token";
  return args.filter((arg, index) => !/^--(agent-)?token(=|$)/.test(arg) && !isToken(args[index - 1]));
}

/** Describes this machine as far as permissions allow. */
function machineFacts(): [string, string][] {
  const system: [string, string] = ["System", `${Deno.build.os} ${Deno.build.arch}`];
  const runtime: [string, string] = ["Deno", Deno.version.deno];
  try {
    const processors = cpus();
    const memory = formatSize(2 ** 20 * Math.round(Deno.systemMemoryInfo().total / 2 ** 20));
    return [
      ["Processor", `${processors[0]?.model.trim() ?? "unknown"}, ${plural(processors.length, "core")}`],
      ["Memory", memory],
      [system[0], `${system[1]}, ${release()}`],
      runtime,
    ];
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [system, runtime];
    throw error;
  }
}
