/** Reads summaries of load tests from files and from output. @module */
import { ExitError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import { plural } from "../../../internal/plural.ts";
import { quoted } from "../../../internal/printable.ts";
import { SCHEMA } from "../../../loadtest/history/events.ts";
import type { SummaryRecord } from "../../../loadtest/metrics/comparison.ts";
import { readTextFile } from "../../shared/text_file.ts";

/** Summaries from a file. */
export interface Summaries {
  readonly summaries: readonly SummaryRecord[];
  /** The number of lines that begin like a summary and are invalid JSON. */
  readonly unreadable: number;
}

/**
 * Returns the summaries in a file: every line that is one, or the file as a whole. A line that begins like one and was
 * cut off, as on a full disk, is reported, because the comparison would otherwise silently use fewer runs.
 *
 * @throws {ExitError} If the file cannot be read, or contains no summary.
 */
export async function readSummaries(file: string, log: Log): Promise<Summaries> {
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

/** Returns the summary in the last line of the output of `loadtest.ts --json`, or `undefined` if there is none. */
export function lastSummary(output: string): SummaryRecord | undefined {
  const last = parse(output.trimEnd().split("\n").at(-1) ?? "");
  return isSummary(last) ? last : undefined;
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
