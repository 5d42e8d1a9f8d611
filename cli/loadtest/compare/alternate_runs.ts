/** Runs two load tests in turn, for a comparison on a machine whose speed drifts. @module */
import { ExitError, UsageError } from "../../terminal/exit.ts";
import { printable, quoted } from "../../../internal/printable.ts";
import type { SummaryRecord } from "../../../loadtest/metrics/comparison.ts";
import { respawnCommand } from "../respawn.ts";
import { lastSummary } from "./summaries.ts";

/** Options for {@linkcode alternateRuns}. */
export interface AlternateRunsOptions {
  /** The command lines of both, without the program. */
  readonly runs: readonly [string, string];
  /** Number of runs of each. */
  readonly rounds: number;
  /** Receives the summary of each run. */
  readonly onRun: (
    run: { readonly name: "A" | "B"; readonly round: number; readonly summary: SummaryRecord },
  ) => void;
  /** Ends the run in progress. */
  readonly signal: AbortSignal;
}

/**
 * Runs both command lines, `rounds` times each, and returns their summaries. Both of a round get the same seed, unless
 * they have one. Every other round begins with B, so that a steady drift of the machine affects both alike.
 *
 * @throws {UsageError} If a command line is not one of `loadtest.ts run`.
 * @throws {ExitError} If a run does not start, or is interrupted.
 */
export async function alternateRuns(
  { runs, rounds, onRun, signal }: AlternateRunsOptions,
): Promise<readonly [before: SummaryRecord[], after: SummaryRecord[]]> {
  const commands = runs.map((text) => runArguments(text));
  const summaries: [SummaryRecord[], SummaryRecord[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    for (const side of round % 2 === 1 ? [0, 1] as const : [1, 0] as const) {
      const name = side === 0 ? "A" : "B";
      const summary = await runOnce(name, withSeed(commands[side]!, round), signal);
      summaries[side].push(summary);
      onRun({ name, round, summary });
    }
  }
  return summaries;
}

/** Most characters of the reason why a run has no summary. */
const SHOWN = 500;

async function runOnce(
  name: "A" | "B",
  args: readonly string[],
  signal: AbortSignal,
): Promise<SummaryRecord> {
  const [program, ...rest] = respawnCommand(...args, "--json", "--quiet");
  const child = new Deno.Command(program, { args: rest, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  const end = (): void => child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  const { code, stdout, stderr } = await child.output();
  signal.removeEventListener("abort", end);
  const summary = lastSummary(new TextDecoder().decode(stdout));
  if (signal.aborted) throw new ExitError(`Interrupted during run ${name}`);
  if (summary !== undefined) return summary;
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  const error = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1) ?? "";
  const reason = printable(error.replace(/^error: /, ""), SHOWN);
  throw new ExitError(`Cannot compare: run ${name} has no summary, exit code ${code}: ${reason}`);
}

function withSeed(args: readonly string[], seed: number): readonly string[] {
  return args.some((arg) => arg === "--seed" || arg.startsWith("--seed="))
    ? args
    : [...args, "--seed", `${seed}`];
}

/** Returns the arguments of a command line of `loadtest.ts run`. */
function runArguments(text: string): readonly string[] {
  const words = splitWords(text);
  const [first = ""] = words;
  if (first === "run" || first.startsWith("-") || first === "") return words;
  throw new UsageError(
    `Cannot run ${quoted(text)}: expected the command "run", as in 'run echo.ts'`,
  );
}

/**
 * Splits a command line into words as a POSIX shell does, without expansion.
 *
 * @throws {UsageError} If a quote is not closed.
 *
 * @example
 * ```ts
 * import { splitWords } from "./alternate_runs.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(splitWords(`run 'my echo.ts' --threshold "p99<5ms"`), ["run", "my echo.ts", "--threshold", "p99<5ms"]);
 * ```
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const parts = text.matchAll(/\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|(['"\\])|[^\s'"\\]+/gs);
  for (const [part, single, double, escaped, open] of parts) {
    if (open !== undefined) throw new UsageError(`Cannot split ${quoted(text)} into words: unclosed ${open}`);
    if (/^\s/.test(part)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + (single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? part);
  }
  return word === undefined ? words : [...words, word];
}
