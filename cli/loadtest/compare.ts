/** `loadtest.ts compare`: reads the summaries of runs and shows what changed. @module */
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
import { readTextFile } from "../shared/text_file.ts";

/**
 * Compares the runs whose summaries are in two files.
 *
 * @returns `ok` if nothing became worse, `failure` if something did, `invalid` if the metrics of a run mean nothing.
 * @throws {ExitError} If a file cannot be read or contains no summary.
 */
export async function compareFiles(files: { before: string; after: string }, log: Log): Promise<ExitCode> {
  const [before, after] = [await readSummaries(files.before, log), await readSummaries(files.after, log)];
  const comparison = compared(before.summaries, after.summaries);
  const unreadable = before.unreadable + after.unreadable;
  log.result(comparisonText(comparison), { event: "compared", ...comparison, unreadable });
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

interface Summaries {
  readonly summaries: readonly SummaryRecord[];
  /** The number of lines that begin like a summary and are invalid JSON. */
  readonly unreadable: number;
}

/**
 * Returns the summaries in a file: every line that is one, or the file as a whole. A line that begins like one and was
 * cut off, as on a full disk, is reported, because the comparison would otherwise silently use fewer runs.
 */
async function readSummaries(file: string, log: Log): Promise<Summaries> {
  const text = await readTextFile(file);
  const whole = parse(text);
  const lines = whole === undefined ? text.split("\n") : [];
  const parsed = whole === undefined ? lines.map(parse) : [whole];
  const summaries = parsed.filter(isSummary);
  const cut = lines.flatMap((line, index) =>
    parsed[index] === undefined && line.startsWith("{") ? [index + 1] : []
  );
  if (summaries.length === 0) {
    const hint = cut.length === 0
      ? ""
      : `, and ${plural(cut.length, "line")} of it cannot be read: line ${cut[0]}`;
    throw new ExitError(
      `Cannot compare ${quoted(file)}: expected a summary with schema ${SCHEMA}, found none${hint}`,
    );
  }
  if (cut.length > 0) {
    log.warn(
      `Skipping ${plural(cut.length, { one: "summary", many: "summaries" })} in ${
        quoted(file)
      } that cannot be read: line ${
        cut.join(", ")
      } is not valid JSON; comparing the other ${summaries.length}`,
    );
  }
  return { summaries, unreadable: cut.length };
}

/** Returns `undefined` for invalid JSON: other text may be written to the same file. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isSummary(value: unknown): value is SummaryRecord {
  return typeof value === "object" && value !== null && "verdict" in value && "schema" in value &&
    value.schema === SCHEMA && !("event" in value);
}

/** Returns the comparison for people: the conclusion, then the changes. */
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
