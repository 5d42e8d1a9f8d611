/** `loadtest.ts compare`: reads summaries of runs and shows what changed. @module */
import { ExitCode, ExitError } from "../terminal/exit.ts";
import type { Log } from "../terminal/log.ts";
import { formatTable } from "../terminal/table.ts";
import { quoted } from "../../internal/printable.ts";
import {
  type Change,
  compareRuns,
  type Comparison,
  type SummaryRecord,
} from "../../loadtest/metrics/comparison.ts";
import { SCHEMA } from "../../loadtest/history/events.ts";
import { plural } from "../../internal/plural.ts";
import { fileError } from "../shared/file_error.ts";

/**
 * Compares the runs whose summaries are in two files.
 *
 * @returns `ok` when nothing became worse, `failure` when something did, `invalid` when the figures of a run mean nothing.
 * @throws {ExitError} If a file cannot be read or has no summary in it.
 */
export function compareFiles(files: { before: string; after: string }, log: Log): ExitCode {
  const [before, after] = [readSummaries(files.before), readSummaries(files.after)];
  const comparison = compared(before, after);
  log.result(comparisonText(comparison), { event: "compared", ...comparison });
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

/** The summaries in a file: every line that is one, or the file as a whole. */
function readSummaries(file: string): SummaryRecord[] {
  const text = readText(file);
  const whole = parse(text);
  const candidates = whole === undefined ? text.split("\n").map(parse) : [whole];
  const summaries = candidates.filter(isSummary);
  if (summaries.length === 0) {
    throw new ExitError(`Cannot compare ${file}: no summary of a run with schema ${SCHEMA} is in it`);
  }
  return summaries;
}

function readText(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    throw fileError(`read ${quoted(file)}`, cause);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // Something else that was written to the same place.
    throw error;
  }
}

function isSummary(value: unknown): value is SummaryRecord {
  return typeof value === "object" && value !== null && "verdict" in value && "schema" in value &&
    value.schema === SCHEMA && !("event" in value);
}

/** The comparison for people: what it comes to, then what changed. */
export function comparisonText({ changes, remarks, worse }: Comparison): string {
  const shown = changes.filter(({ judged, before, after }) =>
    judged !== "same" && (before !== null || after !== null)
  );
  const same = changes.length - shown.length;
  const maybe = changes.some(({ judged }) => judged === "maybe worse");
  return [
    worse === null ? "Not comparable" : worse ? "Worse" : maybe ? "Not known to be worse" : "Not worse",
    ...remarks.map((remark) => `  ${remark}`),
    "",
    formatTable({
      head: ["figure", "before", "after", "change", "judged"],
      rows: shown.map((change) => [
        change.figure,
        format(change.before, change.unit),
        format(change.after, change.unit),
        differenceIn(change),
        change.judged,
      ]),
    }),
    `Not changed, or not measured: ${plural(same, "other figure")}`,
  ].join("\n");
}

function format(value: number | null, unit: Change["unit"]): string {
  if (value === null) return "-";
  return unit === "ms" ? `${Number(value.toPrecision(4))}ms` : `${Number(value.toFixed(3))}`;
}

function differenceIn({ before, after }: Change): string {
  if (before === null || after === null) return "-";
  if (before === 0) return "from 0";
  const percent = 100 * (after - before) / before;
  return `${percent < 0 ? "" : "+"}${percent.toFixed(Math.abs(percent) < 10 ? 1 : 0)}%`;
}
