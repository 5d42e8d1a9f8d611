/** The parameters of connection lists, after `connz` of NATS. Pure. @module */
import { parseDuration } from "../internal/duration.ts";
import { quoted } from "../internal/printable.ts";
import { checkNames, MAX_ID, parseInteger } from "./action.ts";
import type { ConnectionRow } from "./connection_row.ts";

/** Fields that lists can be sorted by, by the value of `sort`. */
export const SORT_KEYS = {
  id: "id",
  address: "address",
  since: "since",
  idle: "idle",
  bytes_in: "bytesIn",
  bytes_out: "bytesOut",
  lines_in: "linesIn",
  lines_out: "linesOut",
  pending: "pending",
  queued: "queued",
} as const satisfies Record<string, keyof ConnectionRow>;

type SortKey = keyof typeof SORT_KEYS;

/** Which connections to list. */
export interface ConnectionQuery {
  readonly state: "open" | "closed";
  /** By default, ids and addresses ascend and everything else descends. */
  readonly sort: SortKey;
  readonly order: "asc" | "desc";
  /** Rows to skip. Default 0. */
  readonly offset: number;
  /** Most rows in one answer, up to 10,000. Default 1,024. */
  readonly limit: number;
  /** Only the connection with this id. */
  readonly id: number | undefined;
  /** Only connections whose address contains this. */
  readonly address: string | undefined;
  /** Only connections that closed for a reason of this type. */
  readonly reason: string | undefined;
  /** Only connections idle for this long, ms. Default 0. */
  readonly minIdle: number;
}

const NAMES = ["state", "sort", "order", "offset", "limit", "id", "address", "reason", "min_idle"];

/**
 * Parses the query of `/connections`.
 *
 * @throws {RangeError} If a parameter is unknown, given twice, or out of range.
 *
 * @example
 * ```ts
 * import { parseConnectionQuery } from "./connection_query.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { sort, order, limit } = parseConnectionQuery(new URLSearchParams("sort=idle&limit=10"));
 * assertEquals([sort, order, limit], ["idle", "desc", 10]);
 * ```
 */
export function parseConnectionQuery(query: URLSearchParams): ConnectionQuery {
  checkNames(query, NAMES);
  const sort = choice(query, "sort", Object.keys(SORT_KEYS) as SortKey[], "id");
  return {
    state: choice(query, "state", ["open", "closed"], "open"),
    sort,
    order: choice(query, "order", ["asc", "desc"], sort === "id" || sort === "address" ? "asc" : "desc"),
    offset: integer(query, "offset", 0, 2 ** 31) ?? 0,
    limit: integer(query, "limit", 1, 10_000) ?? 1024,
    id: integer(query, "id", 0, MAX_ID),
    address: query.get("address") ?? undefined,
    reason: query.get("reason") ?? undefined,
    minIdle: parseDuration(query.get("min_idle") ?? "0"),
  };
}

/** Returns the parameters of a query, for {@linkcode parseConnectionQuery}. */
export function formatConnectionQuery(query: ConnectionQuery): string {
  const { minIdle, id, address, reason, ...rest } = query;
  const given = { id, address, reason, ...(minIdle > 0 ? { min_idle: `${minIdle}ms` } : {}) };
  const parameters = Object.entries({ ...rest, ...given }).filter(([, value]) => value !== undefined);
  return new URLSearchParams(parameters.map(([name, value]) => [name, String(value)])).toString();
}

function choice<Choice extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  const given = query.get(name);
  if (given === null) return fallback;
  const found = choices.find((known) => known === given);
  if (found !== undefined) return found;
  throw new RangeError(`Cannot use ${name} ${quoted(given)}: expected ${choices.join(", ")}`);
}

function integer(query: URLSearchParams, name: string, min: number, max: number): number | undefined {
  const given = query.get(name);
  return given === null ? undefined : parseInteger(given, name, { min, max });
}
