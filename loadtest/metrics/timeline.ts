/** A run over time: its ledger in buckets of equal length, for charts. Pure. @module */
import type { EndType } from "../history/events.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { addedByRelay } from "./measure.ts";
import { openIntervals } from "./open_connections.ts";

/** A run in buckets; every array has a value for each. */
export interface Timeline {
  /** Length of a bucket, in ms: 1, 2 or 5 times a power of ten. */
  readonly bucket: number;
  /** When each begins, in ms from the beginning of the run. */
  readonly at: Float64Array;
  /** The most connections open at once, as the clients saw them. */
  readonly open: Float64Array;
  /** Clients planned to start, clients started, and messages acknowledged; each per second. */
  readonly planned: Float64Array;
  readonly started: Float64Array;
  readonly acknowledged: Float64Array;
  /** Messages sent again by their clients. */
  readonly resent: Float64Array;
  /** Messages given to a client when one had been given them before: redelivered, or sent again. */
  readonly deliveredAgain: Float64Array;
  /** Faults that were injected. */
  readonly faults: Float64Array;
  /** Ends of connections other than natural ones, by what they were; only the kinds that there were. */
  readonly ends: ReadonlyMap<EndType, Float64Array>;
  /** From planned start to ok, of the clients planned for the bucket, in ms. */
  readonly fromPlanned: Quantiles;
  /** What the relay added to that, in ms. */
  readonly relay: Quantiles;
  /** By how much the clients planned for the bucket started late, in ms. */
  readonly scheduleLag: Quantiles;
}

/** Percentiles of what fell in each bucket; NaN where nothing did. */
export interface Quantiles {
  readonly p50: Float64Array;
  readonly p99: Float64Array;
  readonly max: Float64Array;
}

/** What {@linkcode createTimeline} may be told. */
export interface TimelineOptions {
  /** The most buckets there may be. Default 500. */
  readonly buckets?: number;
}

// Below this a bucket holds chance, and the timers' grain, rather than a rate.
const SHORTEST_BUCKET = 10;

/**
 * Sorts a run into buckets.
 *
 * A client's message goes out as soon as it is connected, so that a send on a later connection is booked as resent
 * when that connection was made; the ledger has no instant of its own for it.
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

/** Buckets of equal length from 0 on. */
class Grid {
  readonly width: number;
  readonly count: number;

  constructor(end: number, buckets: number) {
    this.width = roundUp(Math.max(SHORTEST_BUCKET, end / buckets));
    if (Math.floor(end / this.width) + 1 > buckets) this.width = roundUp(this.width * 1.01);
    this.count = Math.floor(end / this.width) + 1;
  }

  /** The bucket of an instant. */
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

  /** Per second. */
  rate(times: Iterable<number>): Float64Array {
    return this.counts(times).map((count) => count * 1000 / this.width);
  }

  /** Of `values`, by the instants that go with them; those of either that are NaN do not count. */
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

/** The least of 1, 2 and 5 times the powers of ten that is not below `ms`. */
function roundUp(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return power * ([1, 2, 5].find((factor) => factor * power >= ms) ?? 10);
}

function latest(end: number, times: Float64Array): number {
  return times.reduce((last, at) => (at > last ? at : last), end);
}

/** Something that happened `times` times at an instant, to whom. */
type Occurrence = readonly [whom: number, at: number, times: number];

function* sendsOf({ client, openedAt, sends }: Ledger["connections"]): Generator<Occurrence> {
  for (let row = 0; row < client.length; row++) yield [client.at(row), openedAt.at(row), sends.at(row)];
}

function* receiptsOf({ message, receivedAt }: Ledger["deliveries"]): Generator<Occurrence> {
  for (let row = 0; row < message.length; row++) yield [message.at(row), receivedAt.at(row), 1];
}

/** The instants of all happenings, but for the first to each. */
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
