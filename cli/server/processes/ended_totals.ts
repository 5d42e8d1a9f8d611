/** The counts of processes that have ended, so that sums over all processes never go down. Pure. @module */
import { DurationHistogram } from "../../../internal/duration_histogram.ts";
import type { MonitorFigures } from "../../../admin/mod.ts";
import { sumStats } from "./sum_stats.ts";

/** Names of figures that are as of now. A process that has ended holds nothing. */
const HELD: ReadonlySet<string> = new Set([
  "connections",
  "peakConnections",
  "queuedBytes",
  "waiting",
  "active",
  "nodes",
  "pending",
  "due",
  "timers",
  "delayed",
  "queued",
  "open",
  "unsettled",
]);

/** The last report of a process. */
interface LastReport {
  readonly state?: object;
  readonly figures?: MonitorFigures;
}

/** Adds up the last reports of processes that have ended. */
export class EndedTotals {
  #state: Readonly<Record<string, unknown>> = {};
  #bytes = { bytesIn: 0, bytesOut: 0 };
  #cpuSeconds = 0;
  readonly #ack = new DurationHistogram();
  readonly #lag = new DurationHistogram();

  /** Adds the last report of a process, as far as there is one. */
  add({ state = {}, figures }: LastReport): void {
    this.#state = sumStats([this.#state, countsOf(state)]);
    if (figures === undefined) return;
    const { bytes, times, process } = figures;
    this.#cpuSeconds += process.cpuSeconds;
    this.#bytes = {
      bytesIn: this.#bytes.bytesIn + bytes.bytesIn,
      bytesOut: this.#bytes.bytesOut + bytes.bytesOut,
    };
    this.#ack.assign([this.#ack.counts(), times.ack]);
    this.#lag.assign([this.#lag.counts(), times.lag]);
  }

  /** The sum of the states, in which everything that a process can hold is 0. */
  get state(): Readonly<Record<string, unknown>> {
    return this.#state;
  }

  get figures(): MonitorFigures {
    return {
      bytes: this.#bytes,
      times: { ack: this.#ack.counts(), lag: this.#lag.counts() },
      process: { cpuSeconds: this.#cpuSeconds, residentMemory: 0, heap: 0 },
    };
  }
}

/** Returns a state without flags, and with 0 for everything that is held. */
function countsOf(state: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state)
      .filter(([, value]) => typeof value !== "boolean")
      .map(([name, value]) => [name, HELD.has(name) ? 0 : counted(value)]),
  );
}

function counted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(counted);
  return typeof value === "object" && value !== null ? countsOf(value) : value;
}
