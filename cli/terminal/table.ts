/** Text tables for summaries. @module */
import { bold } from "@std/fmt/colors";
import CliTable from "cli-table3";

/** A table for {@linkcode formatTable}. */
export interface TableOptions {
  /** Titles of the columns. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Titles in bold; see `hasColor` of `log.ts`. Default `false`. */
  readonly color?: boolean;
}

/**
 * Formats a table with borders. Numbers and the titles of their columns are aligned to the right.
 *
 * @example
 * ```ts
 * import { formatTable } from "./table.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatTable({ head: ["what", "count"], rows: [["acked", 1000], ["lost", 0]] }),
 *   [
 *     "┌───────┬───────┐",
 *     "│ what  │ count │",
 *     "├───────┼───────┤",
 *     "│ acked │  1000 │",
 *     "│ lost  │     0 │",
 *     "└───────┴───────┘",
 *   ].join("\n"),
 * );
 * ```
 */
export function formatTable(options: TableOptions): string {
  const { head, rows, color = false } = options;
  const table = new CliTable({
    head: head.map((title) => (color ? bold(title) : title)),
    colAligns: head.map((_, column) => (typeof rows[0]?.[column] === "number" ? "right" : "left")),
    // Turns off the library's colors and the lines between rows.
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
