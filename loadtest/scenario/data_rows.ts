/** Rows of data for the clients of a scenario: CSV and NDJSON, one row for each client. Pure. @module */
import { parseNumbers, rawNumber } from "../../internal/json_numbers.ts";
import { plural } from "../../internal/plural.ts";
import { quoted } from "../../internal/printable.ts";
import { randomStream } from "../plan/seeded_random.ts";

/** A row: values by column. A value that is not text in an NDJSON file is JSON. */
export type DataRow = Readonly<Record<string, string>>;

/**
 * Where rows come from: a file, relative to the scenario file, or the rows themselves. With `reuse`, clients beyond the
 * last row start over; otherwise there must be a row for each client.
 */
export type DataSource = string | readonly DataRow[] | {
  readonly file: string;
  readonly reuse?: boolean;
};

/**
 * Parses a data file: NDJSON if its name ends in `.ndjson` or `.jsonl`, otherwise CSV (RFC 4180) with a header row.
 *
 * @throws {SyntaxError} If it is not valid; the message has the line.
 *
 * @example
 * ```ts
 * import { parseRows } from "./data_rows.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRows("users.csv", 'name,greeting\nann,"hi, ""you"""\n'), [{ name: "ann", greeting: 'hi, "you"' }]);
 * ```
 */
export function parseRows(name: string, text: string): DataRow[] {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  return /\.(ndjson|jsonl)$/.test(name) ? parseNdjson(name, source) : parseCsv(name, source);
}

/**
 * Assigns rows to clients in an order that depends on the seed.
 *
 * @throws {RangeError} If there are fewer rows than clients, unless rows are reused.
 */
export function assignRows(
  rows: readonly DataRow[],
  options: {
    readonly clients: number;
    readonly seed: number;
    readonly reuse?: boolean;
    readonly name?: string;
  },
): (client: number) => DataRow {
  const { clients, seed, reuse = false, name = "The data" } = options;
  if (rows.length === 0 || (rows.length < clients && !reuse)) {
    throw new RangeError(
      `Cannot give each client a row: ${name} has ${plural(rows.length, "row")} for ${
        plural(clients, "client")
      }`,
    );
  }
  const order = Uint32Array.from(rows.keys());
  const random = randomStream(seed, "data-row");
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return (client) => rows[order[client % order.length]!]!;
}

function parseNdjson(name: string, text: string): DataRow[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new SyntaxError(`Cannot read ${name}, line ${index + 1}: not JSON, got ${quoted(line)}`, {
        cause,
      });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new SyntaxError(
        `Cannot read ${name}, line ${index + 1}: expected an object, got ${quoted(line)}`,
      );
    }
    // As text, so the numbers stay as they are written.
    const exact = parseNumbers(line, rawNumber) as object;
    return [Object.fromEntries(
      Object.entries(exact).map(([key, one]) => [key, typeof one === "string" ? one : JSON.stringify(one)]),
    )];
  });
}

function parseCsv(name: string, text: string): DataRow[] {
  const [header, ...records] = splitCsv(name, text);
  if (header === undefined) {
    throw new SyntaxError(`Cannot read ${name}: expected a header row, got an empty file`);
  }
  const twice = header.fields.find((column, index) => header.fields.indexOf(column) !== index);
  if (twice !== undefined) {
    throw new SyntaxError(
      `Cannot read ${name}, line ${header.line}: expected different columns, got ${quoted(twice)} twice`,
    );
  }
  return records.map(({ line, fields }) => {
    if (fields.length !== header.fields.length) {
      throw new SyntaxError(
        `Cannot read ${name}, line ${line}: expected ${
          plural(header.fields.length, "field")
        }, got ${fields.length}`,
      );
    }
    return Object.fromEntries(header.fields.map((column, index) => [column, fields[index] ?? ""]));
  });
}

interface CsvRecord {
  readonly line: number;
  readonly fields: string[];
}

/** A field, quoted or not, and the delimiter after it. A repeated group would overflow the stack for a long text. */
const FIELD = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function splitCsv(name: string, text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let fields: string[] = [];
  let line = 1;
  let first = 1;
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const match = FIELD.exec(text);
    if (match === null) throw new SyntaxError(`Cannot read ${name}, line ${line}: misplaced quote`);
    const [whole, inQuotes, plain = "", end] = match;
    fields.push(inQuotes?.replaceAll('""', '"') ?? plain);
    line += whole.split("\n").length - 1;
    if (end === "," && FIELD.lastIndex < text.length) continue;
    if (end === ",") fields.push("");
    if (fields.length > 1 || fields[0] !== "") records.push({ line: first, fields });
    fields = [];
    first = line;
  }
  return records;
}
