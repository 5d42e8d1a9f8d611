/** Writes the report and the JUnit file of a load test. @module */
import { cpus, release } from "node:os";
import { formatSize } from "../../internal/size.ts";
import { programName, VERSION } from "../run_program.ts";
import { quoted } from "../../internal/printable.ts";
import { renderJunit } from "../../loadtest/report/junit.ts";
import type { Ledger } from "../../loadtest/ledger/ledger.ts";
import type { Measurements } from "../../loadtest/metrics/measure.ts";
import type { Plan } from "../../loadtest/plan/plan.ts";
import type { Summary } from "../../loadtest/metrics/summary.ts";
import { plural } from "../../internal/plural.ts";
import { fileError } from "../shared/file_error.ts";

/** A run that is over. */
export interface FinishedRun {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly measures: Measurements;
  readonly summary: Summary;
  /** When it began. */
  readonly startedAt: Date;
}

/**
 * Writes the report of a run.
 *
 * @param file Where to; what is there is overwritten.
 * @param run The run, and `args`, the command line that it was asked for with.
 * @throws {ExitError} If the file cannot be written.
 */
export async function writeReport(
  file: string,
  run: FinishedRun & { args: readonly string[] },
): Promise<void> {
  // Loaded here: the plotting library in it is of no use to any other run.
  const { renderReport } = await import("../../loadtest/report/mod.ts");
  const command = commandAgain(run.args, run.summary.seed);
  await writeText(file, renderReport({ ...run, command, version: VERSION, machine: machineFacts() }));
}

/**
 * Writes the result of a run as JUnit XML.
 *
 * @param file Where to; what is there is overwritten.
 * @throws {ExitError} If the file cannot be written.
 */
export async function writeJunit(file: string, { summary, ledger, startedAt }: FinishedRun): Promise<void> {
  await writeText(file, renderJunit({ summary, startedAt, faults: ledger.run.faults }));
}

/**
 * Makes sure, before a run, that its result can be written when it is over: creates the file, or empties it.
 *
 * @throws {ExitError} If the file cannot be written.
 */
export async function assertWritable(file: string): Promise<void> {
  await writeText(file, "");
}

/**
 * The command line that runs the same plan again: as it was given, and with the seed. A token is left to the environment,
 * for the report goes to others.
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
  const program = Deno.build.standalone
    ? [programName("loadtest")]
    : ["deno", "run", "-A", programName("loadtest")];
  const seeded = args.some((arg) => arg === "--seed" || arg.startsWith("--seed="));
  return [...program, ...withoutToken(args), ...(seeded ? [] : ["--seed", String(seed)])].map(quoteWord)
    .join(" ");
}

function withoutToken(args: readonly string[]): string[] {
  return args.filter((arg, index) => !/^--token(=|$)/.test(arg) && args[index - 1] !== "--token");
}

/** A word as a POSIX shell takes it. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What this runs on, as far as it may be known. */
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

/**
 * Writes a file; what is there is overwritten.
 *
 * @throws {ExitError} If it cannot be written.
 */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(file, text);
  } catch (cause) {
    throw fileError(`write ${quoted(file)}`, cause);
  }
}
