/** A server and its connections as text, for `client.ts top`. @module */
import { bold } from "@std/fmt/colors";
import type { JsonObject } from "../../admin/client.ts";
import { printable } from "../../internal/printable.ts";
import { formatTable } from "../terminal/table.ts";
import { numberOf, shortSize, TOP_COLUMNS, type TopColumn } from "./top_columns.ts";

/** The state of a server as read from its admin server at one time. */
export interface TopSnapshot {
  /** ms since 1970. */
  readonly at: number;
  readonly health: JsonObject;
  readonly state: JsonObject;
  /** The answer of `/connections`. */
  readonly list: JsonObject;
}

/** Options for {@linkcode topView}. */
export interface TopViewOptions {
  readonly sort: TopColumn;
  readonly order: "asc" | "desc";
  /** Titles in bold. Default `false`. */
  readonly color?: boolean;
  /** The snapshot before, for rates. Default: there are no rates. */
  readonly before?: TopSnapshot | undefined;
}

/** Lines of the view besides the connections: its head, and the frame of the table. */
export const TOP_FRAME = 7;

/**
 * Returns the view: the state of the server, and a table of its connections.
 *
 * @example
 * ```ts
 * import { topView } from "./top_view.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const connection = { id: 1, address: "127.0.0.1:40000", since: 0, idle: 500, bytesIn: 2048, linesIn: 3 };
 * const view = topView({
 *   at: 90_000,
 *   health: { name: "relay", ready: true },
 *   state: { connections: 1, pending: 2 },
 *   list: { now: 90_000, matched: 1, connections: [connection] },
 * }, { sort: "id", order: "asc" });
 * assertStringIncludes(view, "relay, ready: 1 connection, 2 pending");
 * assertStringIncludes(view, "127.0.0.1:40000");
 * ```
 */
export function topView(snapshot: TopSnapshot, options: TopViewOptions): string {
  const { sort, order, color = false, before } = options;
  const rows = connectionsOf(snapshot.list);
  const now = numberOf(snapshot.list.now);
  const marker = order === "asc" ? "↑" : "↓";
  const columns = Object.entries(TOP_COLUMNS);
  const table = formatTable({
    head: columns.map(([name, { title }]) => (name === sort ? `${title} ${marker}` : title)),
    rows: rows.map((row) => columns.map(([, { show }]) => show(row, now))),
    color,
  });
  const matched = numberOf(snapshot.list.matched);
  const shown = rows.length < matched ? `${count(rows.length)} of ${count(matched)} connections` : "";
  const [first, second] = describeServer(snapshot, before);
  return [color ? bold(first) : first, second, table, shown].filter((line) => line !== "").join("\n");
}

/** Returns the rows of a list, whatever the server sent. */
export function connectionsOf({ connections }: JsonObject): JsonObject[] {
  return Array.isArray(connections)
    ? connections.filter((row) => typeof row === "object" && row !== null)
    : [];
}

function describeServer(
  { health, state, at }: TopSnapshot,
  before: TopSnapshot | undefined,
): readonly [string, string] {
  const reasons = Array.isArray(health.reasons) ? health.reasons.join(", ") : "not ready";
  const status = health.ready === true ? "ready" : printable(reasons);
  const connections = numberOf(state.connections);
  const figures = [
    `${count(connections)} ${connections === 1 ? "connection" : "connections"}`,
    ...(typeof state.pending === "number" ? [`${count(state.pending)} pending`] : []),
    ...(typeof state.queuedBytes === "number" ? [`${shortSize(state.queuedBytes)} queued`] : []),
    ...(numberOf(state.refused) > 0 ? [`${count(numberOf(state.refused))} refused`] : []),
  ];
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  const rates = RATES.flatMap(([key, name]) =>
    typeof state[key] === "number" && seconds > 0
      ? [`${count(Math.max(0, numberOf(state[key]) - numberOf(before?.state[key])) / seconds)} ${name}/s`]
      : []
  );
  return [`${printable(String(health.name))}, ${status}: ${figures.join(", ")}`, rates.join(", ")];
}

const RATES = [["accepted", "connections"], ["messages", "messages"], ["oks", "oks"]] as const;

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
