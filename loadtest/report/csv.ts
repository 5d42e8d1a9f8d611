/** A run as CSV, one row per second, for spreadsheets and plotting tools. Pure. @module */
import type { Ledger } from "../ledger/ledger.ts";
import { openIntervals } from "../metrics/open_connections.ts";

/** The columns. Latencies are in ms from the planned instant, and belong to the second of the reply. */
export const CSV_COLUMNS = [
  "second",
  "started",
  "open",
  "acked",
  "failed",
  "p50_ms",
  "p90_ms",
  "p99_ms",
  "max_ms",
] as const;

const SECOND = 1000;
const PERCENTILES = [0.5, 0.9, 0.99, 1];

/**
 * Renders a run as CSV (RFC 4180) with a header line. Each row is a second of the run, from 0 to its end: clients that
 * started, the most connections open at the same time, messages acknowledged (of a scenario: requests answered as
 * expected), failures, and the latency of what was acknowledged. A latency is empty in a second without any.
 *
 * Failures are requests with another outcome, or, of other protocols, connections that did not end naturally.
 *
 * @example
 * ```ts
 * import { Ledger } from "../ledger/ledger.ts";
 * import { renderCsv } from "./csv.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ledger = new Ledger({
 *   event: "run", schema: 1, seed: 1, clients: 1, protocol: "relay", server: "own", faults: false,
 * });
 * ledger.record({ event: "planned", client: 0, at: 5, text: "hello #0" });
 * ledger.record({ event: "start", client: 0, at: 6 });
 * assertEquals(renderCsv(ledger).split("\r\n"), [
 *   "second,started,open,acked,failed,p50_ms,p90_ms,p99_ms,max_ms",
 *   "0,1,0,0,0,,,,",
 *   "",
 * ]);
 * ```
 */
export function renderCsv(ledger: Ledger): string {
  const { acked, failed } = ledger.run.protocol === "scenario" ? requestsOf(ledger) : messagesOf(ledger);
  const started = ledger.clients.columns.startedAt.filter((at) => !Number.isNaN(at));
  const end = [started, acked.at, failed].reduce(
    (last, times) => times.reduce((later, at) => Math.max(later, at), last),
    ledger.facts.stop?.at ?? 0,
  );
  const count = Math.floor(end / SECOND) + 1;
  const open = openIntervals(ledger.connections, { width: SECOND, count });
  const perSecond = { started: countsOf(started, count), failed: countsOf(failed, count) };
  const lines = groupBySecond(acked, count).map((latencies, second) => {
    const counts = [perSecond.started[second], open[second], latencies.length, perSecond.failed[second]];
    return [second, ...counts, ...PERCENTILES.map((share) => cell(latencies, share))].join(",");
  });
  return [CSV_COLUMNS.join(","), ...lines, ""].join("\r\n");
}

/** Times of oks and failures. */
interface Outcomes {
  readonly acked: { readonly at: Float64Array; readonly latency: Float64Array };
  readonly failed: Float64Array;
}

function requestsOf({ scenario }: Ledger): Outcomes {
  const isOk = (_: unknown, request: number): boolean => scenario.isOk(request);
  const endedAt = scenario.endedAt.toArray();
  const latency = endedAt.map((at, request) => at - scenario.due.at(request));
  return {
    acked: { at: endedAt.filter(isOk), latency: latency.filter(isOk) },
    failed: endedAt.filter((_, request) => !scenario.isOk(request)),
  };
}

function messagesOf({ clients, connections }: Ledger): Outcomes {
  const { ackedAt, plannedAt } = clients.columns;
  const isAcked = (_: unknown, client: number): boolean => !Number.isNaN(ackedAt[client]);
  const latency = ackedAt.map((at, client) => at - (plannedAt[client] ?? at));
  return {
    acked: { at: ackedAt.filter(isAcked), latency: latency.filter(isAcked) },
    failed: connections.closedAt.toArray().filter((_, connection) => {
      const reason = connections.reason(connection);
      return reason !== undefined && reason !== "natural";
    }),
  };
}

function countsOf(times: Float64Array, seconds: number): Uint32Array {
  const counts = new Uint32Array(seconds);
  for (const at of times) counts[secondOf(at)]!++;
  return counts;
}

/** Returns the latencies of each second, sorted. */
function groupBySecond({ at, latency }: Outcomes["acked"], seconds: number): Float64Array[] {
  const ends = countsOf(at, seconds);
  for (let second = 1; second < seconds; second++) ends[second]! += ends[second - 1]!;
  const begins = ends.slice();
  const grouped = new Float64Array(at.length);
  at.forEach((time, row) => grouped[--begins[secondOf(time)]!] = latency[row]!);
  return Array.from(ends, (end, second) => grouped.subarray(begins[second], end).sort());
}

function secondOf(at: number): number {
  return Math.max(0, Math.floor(at / SECOND));
}

function cell(sorted: Float64Array, share: number): string {
  const ms = sorted[Math.ceil(share * sorted.length) - 1];
  return ms === undefined ? "" : String(Number(ms.toFixed(3)));
}
