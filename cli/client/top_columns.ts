/** The columns of `client.ts top`. @module */
import type { JsonObject } from "../../admin/client.ts";
import { printable } from "../../internal/printable.ts";

/** The columns, by the name that sorts by them. */
export const TOP_COLUMNS = {
  id: { title: "id", show: (row: JsonObject) => numberOf(row.id) },
  address: { title: "address", show: (row: JsonObject) => printable(String(row.address)) },
  since: {
    title: "open for",
    show: (row: JsonObject, now: number) => shortDuration(now - numberOf(row.since)),
  },
  idle: { title: "idle", show: (row: JsonObject) => shortDuration(numberOf(row.idle)) },
  bytes_in: { title: "in", show: (row: JsonObject) => shortSize(numberOf(row.bytesIn)) },
  bytes_out: { title: "out", show: (row: JsonObject) => shortSize(numberOf(row.bytesOut)) },
  lines_in: { title: "lines in", show: (row: JsonObject) => numberOf(row.linesIn) },
  lines_out: { title: "lines out", show: (row: JsonObject) => numberOf(row.linesOut) },
  pending: { title: "pending", show: (row: JsonObject) => numberOf(row.pending) },
  queued: { title: "queued", show: (row: JsonObject) => shortSize(numberOf(row.queued)) },
} as const;

/** A name in {@linkcode TOP_COLUMNS}. */
export type TopColumn = keyof typeof TOP_COLUMNS;

/** Returns a number, or 0 for any other value that a server sent. */
export function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Formats a size with the unit that suits it. */
export function shortSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function shortDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
