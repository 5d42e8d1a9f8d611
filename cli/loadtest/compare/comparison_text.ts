/** A comparison of runs for people: as text, and as Markdown. @module */
import { formatTable } from "../../terminal/table.ts";
import { plural } from "../../../internal/plural.ts";
import type { Change, Comparison } from "../../../loadtest/metrics/comparison.ts";

const HEAD = ["metric", "before", "after", "change", "judged"];

/** Returns the comparison as text: the conclusion, then the changes. */
export function comparisonText(comparison: Comparison): string {
  const { rows, rest } = changesOf(comparison);
  return [
    conclusionOf(comparison),
    ...comparison.remarks.map((remark) => `  ${remark}`),
    "",
    formatTable({ head: HEAD, rows }),
    rest,
  ].join("\n");
}

/** Returns the comparison as Markdown, for a pull request. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { rows, rest } = changesOf(comparison);
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    `**${conclusionOf(comparison)}**`,
    "",
    ...comparison.remarks.map((remark) => `- ${remark}`),
    ...(comparison.remarks.length === 0 ? [] : [""]),
    line(HEAD),
    "| --- | ---: | ---: | ---: | --- |",
    ...rows.map((row) => line(row)),
    "",
    `${rest}.`,
  ].join("\n");
}

function conclusionOf({ worse, changes }: Comparison): string {
  if (worse === null) return "Not comparable";
  if (worse) return "Worse";
  return changes.some(({ judged }) => judged === "maybe worse") ? "Not known to be worse" : "Not worse";
}

function changesOf({ changes }: Comparison): { readonly rows: string[][]; readonly rest: string } {
  const shown = changes.filter(({ judged, before, after }) =>
    judged !== "same" && (before !== null || after !== null)
  );
  return {
    rows: shown.map((change) => [
      change.figure,
      format(change.before, change.unit),
      format(change.after, change.unit),
      differenceIn(change),
      change.judged,
    ]),
    rest: `Not changed, or not measured: ${plural(changes.length - shown.length, "other metric")}`,
  };
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
