/** A run over time: its ledger in buckets of equal length, for charts. Pure. @module */
import type { EndType } from "../history/events.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { addedByRelay } from "./measure.ts";
import { openIntervals } from "./open_connections.ts";

/** A run in buckets. Every array has one value per bucket. */
export interface Timeline {
  /** Length of a bucket, in ms: 1, 2, or 5 times a power of ten. */
  readonly bucket: number;
  /** Start of each bucket, in ms from the beginning of the run. */
  readonly at: Float64Array;
  /** Most connections open at the same time, as the clients saw them. */
  readonly open: Float64Array;
  /** Clients planned to start, clients started, and messages acknowledged; each per second. */
  readonly planned: Float64Array;
  readonly started: Float64Array;
  readonly acknowledged: Float64Array;
  /** Messages that clients sent again. */
  readonly resent: Float64Array;
  /** Deliveries of a message after its first: redelivered by the server, or sent again. */
  readonly deliveredAgain: Float64Array;
  /** Injected faults. */
  readonly faults: Float64Array;
  /** Unnatural ends of connections by type; only types that occurred. */
  readonly ends: ReadonlyMap<EndType, Float64Array>;
  /** From planned start to ok, of the clients planned for the bucket, in ms. */
  readonly fromPlanned: Quantiles;
  /** The time that the relay added to that, in ms. */
  readonly relay: Quantiles;
  /** Delay of the starts of the clients planned for the bucket, in ms. */
  readonly scheduleLag: Quantiles;
}

/** Percentiles of the values in each bucket; NaN if there are none. */
export interface Quantiles {
  readonly p50: Float64Array;
  readonly p99: Float64Array;
  readonly max: Float64Array;
}

/** Options for {@linkcode createTimeline}. */
export interface TimelineOptions {
  /** Highest number of buckets. Default: 500. */
  readonly buckets?: number;
}

// A shorter bucket shows chance and the resolution of timers rather than a rate.
const SHORTEST_BUCKET = 10;

/**
 * Divides a run into buckets.
 *
 * A client sends its message as soon as it is connected, so a resend is counted at the time of its connection. The ledger
 * does not record the time of the resend itself.
 *
 * @example
 * ```ts
 * import { Ledger } from "../ledger/ledger.ts";
 * import { createTimeline } from "./timeline.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const ledger = new Ledger({
 *   event: "run", schema: 1, seed: 1, clients: 2, protocol: "relay", server: "own", faults: false,
 * });
 * ledger.record({ event: "planned", client: 0, at: 0, text: "" });
 * ledger.record({ event: "planned", client: 1, at: 95, text: "" });
 * const { bucket, planned } = createTimeline(ledger, { buckets: 2 });
 * assertEquals([bucket, [...planned]], [50, [20, 20]]);
 * ```
 */
export function createTimeline(ledger: Ledger, { buckets = 500 }: TimelineOptions = {}): Timeline {
  const { clients, connections, deliveries, facts } = ledger;
  const { plannedAt, startedAt, ackedAt } = clients.columns;
  const openedAt = connections.openedAt.toArray();
  const closedAt = connections.closedAt.toArray();
  const end = [plannedAt, startedAt, ackedAt, openedAt, closedAt].reduce(latest, facts.stop?.at ?? 0);
  const grid = new Grid(end, buckets);
  const fromPlanned = ackedAt.map((at, row) => at - (plannedAt[row] ?? NaN));
  return {
    bucket: grid.width,
    at: Float64Array.from({ length: grid.count }, (_, index) => index * grid.width),
    open: openIntervals(connections, grid),
    planned: grid.rate(plannedAt),
    started: grid.rate(startedAt),
    acknowledged: grid.rate(ackedAt),
    resent: grid.counts(timesAgain(sendsOf(connections))),
    deliveredAgain: grid.counts(timesAgain(receiptsOf(deliveries))),
    faults: grid.counts(facts.faults.map(({ at }) => at)),
    ends: endsIn(grid, ledger),
    fromPlanned: grid.quantiles(plannedAt, fromPlanned),
    relay: grid.quantiles(plannedAt, addedByRelay(ledger)),
    scheduleLag: grid.quantiles(plannedAt, startedAt.map((at, row) => at - (plannedAt[row] ?? NaN))),
  };
}

/** Buckets of equal length that start at 0. */
class Grid {
  readonly width: number;
  readonly count: number;

  constructor(end: number, buckets: number) {
    this.width = roundUp(Math.max(SHORTEST_BUCKET, end / buckets));
    if (Math.floor(end / this.width) + 1 > buckets) this.width = roundUp(this.width * 1.01);
    this.count = Math.floor(end / this.width) + 1;
  }

  /** Returns the bucket of a time. */
  of(at: number): number {
    return Math.floor(at / this.width);
  }

  counts(times: Iterable<number>): Float64Array {
    const counts = new Float64Array(this.count);
    for (const at of times) {
      if (!Number.isNaN(at)) counts[this.of(at)] = (counts[this.of(at)] ?? 0) + 1;
    }
    return counts;
  }

  /** Returns the number of times per second. */
  rate(times: Iterable<number>): Float64Array {
    return this.counts(times).map((count) => count * 1000 / this.width);
  }

  /** Returns quantiles of `values` by the times that belong to them. NaN in either is skipped. */
  quantiles(times: Float64Array, values: Float64Array): Quantiles {
    const sorted = Array.from({ length: this.count }, (): number[] => []);
    values.forEach((value, row) => {
      if (!Number.isNaN(value)) sorted[this.of(times[row] ?? NaN)]?.push(value);
    });
    for (const bucket of sorted) bucket.sort((a, b) => a - b);
    const at = (share: number): Float64Array =>
      Float64Array.from(sorted, (bucket) => bucket[Math.max(0, Math.ceil(share * bucket.length) - 1)] ?? NaN);
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

/** Returns the least of 1, 2, and 5 times the powers of ten that is not below `ms`. */
function roundUp(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return power * ([1, 2, 5].find((factor) => factor * power >= ms) ?? 10);
}

function latest(end: number, times: Float64Array): number {
  return times.reduce((last, at) => (at > last ? at : last), end);
}

/** An event that happened `times` times at one time, and the client. */
type Occurrence = readonly [whom: number, at: number, times: number];

function* sendsOf({ client, openedAt, sends }: Ledger["connections"]): Generator<Occurrence> {
  for (let row = 0; row < client.length; row++) yield [client.at(row), openedAt.at(row), sends.at(row)];
}

function* receiptsOf({ message, receivedAt }: Ledger["deliveries"]): Generator<Occurrence> {
  for (let row = 0; row < message.length; row++) yield [message.at(row), receivedAt.at(row), 1];
}

/** Yields the times of all occurrences except the first of each client. */
function* timesAgain(happenings: Iterable<Occurrence>): Generator<number> {
  const before = new Set<number>();
  for (const [whom, at, times] of happenings) {
    for (let i = 0; i < times; i++) {
      if (before.has(whom)) yield at;
      else before.add(whom);
    }
  }
}

function endsIn(grid: Grid, { connections }: Ledger): Map<EndType, Float64Array> {
  const times = new Map<EndType, number[]>();
  for (let row = 0; row < connections.length; row++) {
    const reason = connections.reason(row);
    if (reason === undefined || reason === "natural") continue;
    const list = times.get(reason) ?? [];
    times.set(reason, list);
    list.push(connections.closedAt.at(row));
  }
  return new Map([...times].map(([reason, list]) => [reason, grid.counts(list)]));
}
