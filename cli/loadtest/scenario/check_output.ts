/** Reads the output of a `deno check` that failed. Pure. @module */
import { printable } from "../../../internal/printable.ts";

/** An error that the check found. */
export interface CheckError {
  /** On one line, such as `TS2322: Type 'string' is not assignable to type 'number'`. */
  readonly text: string;
  /** URL of its file. Absent for an error without a place. */
  readonly file?: string;
  /** `:12:5`. */
  readonly place?: string;
}

/** Most characters of an error that are shown, and of each type in it: the other ends of a sentence matter more. */
const SHOWN = 300;
const TYPE_SHOWN = 40;

const START = /^(?:(TS\d+) \[ERROR\]|error): (?!Type checking failed)/;
const END = /^(?:error: |Found \d+ errors|Stack backtrace)/;
const PLACE = /^\s+at ((?:file|https?|data):\S+?)(:\d+:\d+)$/;
const UNDERLINE = /^\s*[~^]+\s*$/;

/**
 * Returns the errors, in their order.
 *
 * An error of TypeScript is a chain, from the general to the particular: its first line says that two types differ, and
 * its last one which property is missing. Only the last one is kept.
 *
 * @example
 * ```ts
 * import { checkErrors } from "./check_output.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const output = `TS2345 [ERROR]: Argument of type '{}' is not assignable to parameter of type 'Options'.
 *   Property 'codec' is missing in type '{}' but required in type 'Options'.
 * export default scenario({});
 *                         ~~
 *     at file:///home/ann/echo.ts:2:25`;
 * assertEquals(checkErrors(output), [{
 *   text: "TS2345: Property 'codec' is missing in type '{}' but required in type 'Options'",
 *   file: "file:///home/ann/echo.ts",
 *   place: ":2:25",
 * }]);
 * ```
 */
export function checkErrors(output: string): CheckError[] {
  const blocks: string[][] = [];
  let inBlock = false;
  for (const line of output.split(/\r?\n/)) {
    if (START.test(line)) {
      blocks.push([line]);
      inBlock = true;
    } else if (END.test(line)) inBlock = false;
    else if (inBlock) blocks.at(-1)?.push(line);
  }
  return blocks.map(readBlock);
}

function readBlock(lines: readonly string[]): CheckError {
  const [first = ""] = lines;
  const placeAt = lines.findIndex((line) => PLACE.test(line));
  const [, file, place] = PLACE.exec(lines[placeAt] ?? "") ?? [];
  const code = START.exec(first)?.[1];
  const message = code === undefined ? first : deepest(lines.slice(0, placeAt < 0 ? undefined : placeAt));
  const sentence = message.replace(START, "").trim().replace(/\.$/, "").replaceAll(/'([^']+)'/g, shortType);
  const hint = lines.slice(placeAt + 1).find((line) => /^\s+Did you mean/.test(line))?.trim();
  const text = printable(`${code === undefined ? "" : `${code}: `}${sentence}`, SHOWN);
  return {
    text: hint === undefined ? text : `${text} (${hint.slice(0, 1).toLowerCase()}${hint.slice(1)})`,
    ...(file === undefined || place === undefined ? {} : { file, place }),
  };
}

/** The last line of a message, which the line of the source and its underline follow. */
function deepest(lines: readonly string[]): string {
  const underline = lines.findIndex((line) => UNDERLINE.test(line));
  const message = underline < 0 ? lines : lines.slice(0, underline - 1);
  return message.findLast((line) => line.trim() !== "") ?? lines[0] ?? "";
}

function shortType(quoted: string, type: string): string {
  return type.length <= TYPE_SHOWN ? quoted : `'${type.slice(0, TYPE_SHOWN - 1)}…'`;
}
