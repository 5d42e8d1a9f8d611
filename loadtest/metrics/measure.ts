/** The times that a ledger holds, measured from it: one pass over its clients, connections and deliveries. Pure. @module */
import { durationsOf, histogramOf } from "../scenario/measure_scenario.ts";
import { LatencyHistogram } from "./latency.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** What was measured; all in ms. */
export interface Measurements {
  /** From a client's actual start to its first ok. */
  readonly total: LatencyHistogram;
  /**
   * From its planned start to its first ok: what a user would have felt who came when the plan says. A generator
   * that falls behind cannot hide it ("coordinated omission", Gil Tene).
   */
  readonly fromPlanned: LatencyHistogram;
  /** Total without the time in which some client held the message: what connecting and the relay took. */
  readonly relay: LatencyHistogram;
  /** How long messages were held before they were answered. */
  readonly held: LatencyHistogram;
  /** How long dialling took. */
  readonly connect: LatencyHistogram;
  /** By how much clients started later than planned. */
  readonly scheduleLag: LatencyHistogram;
  /**
   * Jain's fairness index (R. Jain, D. Chiu, W. Hawe: "A Quantitative Measure of Fairness", 1984) of the speed at
   * which each message was relayed, 1 / its relay latency: the part of the clients that was served evenly, 1 for
   * all, 0.9 when a tenth was left waiting. `null` when nothing was acknowledged.
   */
  readonly fairness: number | null;
}

/** Relay latencies below this many ms count as this: what is finer is the machine's noise, and nobody's disadvantage. */
const FINEST = 5;

/** Measures a run. */
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

/** What connecting and the relay took of each client's wait for its ok, by row, in ms; NaN without an ok. */
export function addedByRelay(ledger: Ledger): Float64Array {
  const { clients } = ledger;
  const { startedAt, ackedAt } = clients.columns;
  const held = timesHeld(ledger);
  return ackedAt.map((at, row) => Math.max(0, at - (startedAt[row] ?? at) - (held[clients.index(row)] ?? 0)));
}

/** By how much clients started later than planned, in ms. */
export function measureScheduleLag({ clients }: Ledger): LatencyHistogram {
  const lag = new LatencyHistogram();
  const { plannedAt, startedAt } = clients.columns;
  startedAt.forEach((at, row) => {
    if (!Number.isNaN(at)) lag.record(at - (plannedAt[row] ?? at));
  });
  return lag;
}

/** The largest number of connections open at once, as the clients saw them. */
export function peakConnections({ connections }: Ledger): number {
  const opened = connections.openedAt.toArray().sort();
  const closed = connections.closedAt.toArray().filter((at) => !Number.isNaN(at)).sort();
  let ended = 0;
  return opened.reduce((peak, at, made) => {
    while (ended < closed.length && (closed[ended] ?? Infinity) <= at) ended++;
    return Math.max(peak, made + 1 - ended);
  }, 0);
}

/**
 * For each message, how long at least one client had it before its ok came, in ms. Nearly all are given to one
 * client; where there were several, the times that overlap count once.
 */
function timesHeld({ run, clients, deliveries }: Ledger): Float64Array {
  const held = new Float64Array(run.clients);
  const firstRow = new Int32Array(run.clients).fill(-1);
  const several = new Map<number, number[]>();
  for (let row = 0; row < deliveries.length; row++) {
    const message = deliveries.message.at(row);
    const first = firstRow[message] ?? -1;
    if (first < 0) {
      firstRow[message] = row;
      held[message] = lengthOf({ from: deliveries.receivedAt.at(row), to: deliveries.endedAt.at(row) });
    } else {
      const rows = several.get(message) ?? [first];
      several.set(message, rows);
      rows.push(row);
    }
  }
  for (const [message, rows] of several) {
    const ackedAt = clients.columns.ackedAt[clients.row(message)] ?? NaN;
    held[message] = unionLength(rows.map((row) => ({
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
  let covered = -Infinity; // up to here
  let length = 0;
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    length += lengthOf({ from: Math.max(from, covered), to });
    if (to > covered) covered = to;
  }
  return length;
}
