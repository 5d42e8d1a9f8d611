/** Counts the progress of the clients of one process. Pure. @module */
import { LatencyHistogram } from "../metrics/latency.ts";

/** The progress of a fleet. */
export interface FleetProgress {
  readonly started: number;
  /** Connections made, open or not. */
  readonly connected: number;
  readonly acknowledged: number;
  /** Open connections. */
  readonly open: number;
  readonly resent: number;
  /** Clients that have finished. */
  readonly finished: number;
  /** Lag of this process in timers and client starts, at the 99th percentile, in ms. */
  readonly lag: number;
  /** The times from planned start to ok so far: an encoded `LatencyHistogram`. */
  readonly latency: string;
}

/** Replies recorded in the latency of the progress: all of the first ones, later one in 16. */
const ALL_SAMPLED = 10_000;
const SAMPLE = 16;

/** Time for which the encoded latency is good, in ms. */
const ENCODED_FOR_MS = 1000;

/**
 * Counters that what runs the clients increments, for a live view.
 *
 * @example
 * ```ts
 * import { ProgressCounter } from "./fleet_progress.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const progress = new ProgressCounter();
 * progress.started++;
 * progress.acknowledge(1.5);
 * const { started, acknowledged } = progress.report({ now: 0, lag: 0, over: false });
 * assertEquals([started, acknowledged], [1, 1]);
 * ```
 */
export class ProgressCounter {
  started = 0;
  connected = 0;
  open = 0;
  resent = 0;
  finished = 0;
  #acknowledged = 0;
  readonly #latency = new LatencyHistogram();
  #encoded = "";
  #encodedAt = -Infinity;
  #encodedCount = 0;

  /** Counts the ok of a client, `ms` after its planned start. */
  acknowledge(ms: number): void {
    this.#acknowledged++;
    this.#latency.record(ms);
  }

  /** Counts `count` replies that took `ms` each. A sample serves a live view as well: to record each costs a tenth of a request. */
  acknowledgeSampled(ms: number, count: number): void {
    const before = this.#acknowledged;
    const after = this.#acknowledged += count;
    const sampled = after < ALL_SAMPLED ? count : Math.floor(after / SAMPLE) - Math.floor(before / SAMPLE);
    if (sampled > 0) this.#latency.record(ms, sampled);
  }

  /**
   * Returns the progress.
   *
   * @param options The time in ms, the lag in ms, and whether all clients have finished.
   */
  report({ now, lag, over }: { now: number; lag: number; over: boolean }): FleetProgress {
    const { started, connected, open, resent, finished } = this;
    const acknowledged = this.#acknowledged;
    return {
      started,
      connected,
      acknowledged,
      open,
      resent,
      finished,
      lag,
      latency: this.#encode(now, over),
    };
  }

  /** Encodes the latency once per second while clients run: it takes 2 ms, for each of four reports a second. */
  #encode(now: number, over: boolean): string {
    const { count } = this.#latency;
    // Also when the first one is there: whoever sees that something was acknowledged expects its latency.
    const first = count > 0 && this.#encodedCount === 0;
    if (first || over || now >= this.#encodedAt + ENCODED_FOR_MS) {
      this.#encoded = this.#latency.encode();
      this.#encodedAt = now;
      this.#encodedCount = count;
    }
    return this.#encoded;
  }
}
