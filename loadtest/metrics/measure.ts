/** Measures durations in a ledger. Pure. @module */
import { durationsOf, histogramOf } from "../scenario/measure_scenario.ts";
import { LatencyHistogram } from "./latency.ts";
import { openIntervals } from "./open_connections.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** Measurements of a run, in ms. */
export interface Measurements {
  /** From a client's actual start to its first ok. */
  readonly total: LatencyHistogram;
  /**
   * From its planned start to its first ok: the latency of a user who arrives on schedule. A generator that falls behind
   * cannot hide it ("coordinated omission", Gil Tene).
   */
  readonly fromPlanned: LatencyHistogram;
  /** Total without the time for which a client held the message: what connecting and the relay took. */
  readonly relay: LatencyHistogram;
  /** Time for which messages were held before the answer. */
  readonly held: LatencyHistogram;
  /** Duration of connecting. */
  readonly connect: LatencyHistogram;
  /** Delay of client starts. */
  readonly scheduleLag: LatencyHistogram;
  /**
   * Jain's fairness index (R. Jain, D. Chiu, W. Hawe: "A Quantitative Measure of Fairness", 1984) of the speed at
   * which each message was relayed, 1 / its relay latency: the share of the clients that was served evenly. 1 is all of
   * them, 0.9 means that a tenth was left waiting. `null` if nothing was acknowledged.
   */
  readonly fairness: number | null;
}

/** The least relay latency for fairness, in ms: shorter ones differ by noise, and disadvantage no client. */
const FINEST = 5;

/** Measures the durations of a run. */
export function measure(ledger: Ledger): Measurements {
  if (ledger.run.protocol === "scenario") return measureScenario(ledger);
  const { clients, connections, deliveries } = ledger;
  const total = new LatencyHistogram();
  const fromPlanned = new LatencyHistogram();
  const relay = new LatencyHistogram();
  const held = new LatencyHistogram();
  const connect = new LatencyHistogram();
  const { ackedAt: acks, startedAt } = clients.columns;
  let sum = 0;
  let squares = 0;

  addedByRelay(ledger).forEach((added, row) => {
    if (Number.isNaN(added)) return;
    const ackedAt = acks[row] ?? NaN;
    total.record(ackedAt - (startedAt[row] ?? ackedAt));
    fromPlanned.record(ackedAt - (clients.columns.plannedAt[row] ?? ackedAt));
    relay.record(added);
    const speed = 1 / Math.max(FINEST, added);
    sum += speed;
    squares += speed ** 2;
  });
  for (let row = 0; row < connections.length; row++) connect.record(connections.took.at(row));
  for (let row = 0; row < deliveries.length; row++) {
    if (deliveries.isAnswered(row)) held.record(deliveries.endedAt.at(row) - deliveries.receivedAt.at(row));
  }
  const fairness = total.count === 0 ? null : sum ** 2 / (total.count * squares);
  return { total, fromPlanned, relay, held, connect, scheduleLag: measureScheduleLag(ledger), fairness };
}

/** The same of a scenario: of its requests, without those of the warm-up. */
function measureScenario(ledger: Ledger): Measurements {
  const empty = new LatencyHistogram();
  const connect = new LatencyHistogram();
  const { connections } = ledger;
  for (let row = 0; row < connections.length; row++) connect.record(connections.took.at(row));
  const total = histogramOf(durationsOf(ledger, "sent"));
  const fromPlanned = histogramOf(durationsOf(ledger, "due"));
  return {
    total,
    fromPlanned,
    relay: empty,
    held: empty,
    connect,
    scheduleLag: measureScheduleLag(ledger),
    fairness: null,
  };
}

/** Returns what connecting and the relay took of each client's latency, by row, in ms; NaN without an ok. */
export function addedByRelay(ledger: Ledger): Float64Array {
  const { clients } = ledger;
  const { startedAt, ackedAt } = clients.columns;
  const held = timesHeld(ledger);
  return ackedAt.map((at, row) => Math.max(0, at - (startedAt[row] ?? at) - (held[row] ?? 0)));
}

/** Measures how late clients started, in ms. */
export function measureScheduleLag({ clients }: Ledger): LatencyHistogram {
  const lag = new LatencyHistogram();
  const { plannedAt, startedAt } = clients.columns;
  startedAt.forEach((at, row) => {
    if (!Number.isNaN(at)) lag.record(at - (plannedAt[row] ?? at));
  });
  return lag;
}

/** Returns the largest number of connections open at the same time, as the clients saw them. */
export function peakConnections({ connections }: Ledger): number {
  return openIntervals(connections, { width: Infinity, count: 1 })[0] ?? 0;
}

/**
 * Returns how long at least one client held the message of each client before its ok, by row, in ms. Nearly all messages
 * are held by one client; overlapping times count once.
 */
function timesHeld({ clients, deliveries }: Ledger): Float64Array {
  const rows = clients.columns.sends.length;
  const held = new Float64Array(rows);
  const firstRow = new Int32Array(rows).fill(-1);
  const several = new Map<number, number[]>();
  for (let row = 0; row < deliveries.length; row++) {
    const sender = clients.row(deliveries.message.at(row));
    const first = firstRow[sender] ?? -1;
    if (first < 0) {
      firstRow[sender] = row;
      held[sender] = lengthOf({ from: deliveries.receivedAt.at(row), to: deliveries.endedAt.at(row) });
    } else {
      const rows = several.get(sender) ?? [first];
      several.set(sender, rows);
      rows.push(row);
    }
  }
  for (const [sender, rows] of several) {
    const ackedAt = clients.columns.ackedAt[sender] ?? NaN;
    held[sender] = unionLength(rows.map((row) => ({
      from: deliveries.receivedAt.at(row),
      to: Math.min(deliveries.endedAt.at(row), ackedAt),
    })));
  }
  return held;
}

interface Interval {
  readonly from: number;
  readonly to: number;
}

/** 0 for an interval without an end. */
function lengthOf({ from, to }: Interval): number {
  return to > from ? to - from : 0;
}

function unionLength(intervals: Interval[]): number {
  let covered = -Infinity;
  let length = 0;
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    length += lengthOf({ from: Math.max(from, covered), to });
    if (to > covered) covered = to;
  }
  return length;
}
