/** Samples of a service for the page. @module */
import type { DurationHistogram } from "../../internal/duration_histogram.ts";
import { Interval, type Percentiles } from "../percentiles.ts";
import { type Counts, type ServiceStats, totalOf } from "./stats.ts";

/** The source of samples. */
export interface SampleSource {
  readonly stats: () => ServiceStats;
  readonly bytes: () => { readonly bytesIn: number; readonly bytesOut: number };
  readonly notReady: () => readonly string[];
  readonly lag: DurationHistogram;
  readonly ackTimes: DurationHistogram;
}

/** One sample. Counts are totals since the start; latencies, in ms, are of the time since the last sample. */
export interface ServiceSample {
  /** ms since 1970. */
  readonly at: number;
  readonly notReady: readonly string[];
  readonly connections: number;
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number | null;
  readonly messages: number | null;
  readonly acks: number | null;
  readonly redelivered: number | null;
  readonly queuedBytes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly closed: Counts;
  readonly nodes: number;
  readonly ack: Percentiles | null;
  readonly lag: Percentiles | null;
}

/** Takes samples of a service. */
export class ServiceSampler {
  readonly #source: SampleSource;
  readonly #ack: Interval;
  readonly #lag: Interval;

  constructor(source: SampleSource) {
    this.#source = source;
    this.#ack = new Interval(source.ackTimes);
    this.#lag = new Interval(source.lag);
  }

  /** @param at ms since 1970. */
  sample(at: number): ServiceSample {
    const { stats, bytes, notReady } = this.#source;
    const now = stats();
    return {
      at: Math.round(at),
      notReady: notReady(),
      connections: now.connections ?? 0,
      accepted: now.accepted ?? 0,
      refused: totalOf(now.refusals),
      pending: now.pending ?? null,
      messages: now.messages ?? null,
      acks: now.oks ?? null,
      redelivered: now.redelivered ?? null,
      queuedBytes: now.queuedBytes ?? 0,
      ...bytes(),
      closed: now.closed ?? {},
      nodes: now.nodes ?? 0,
      ack: this.#ack.percentiles(),
      lag: this.#lag.percentiles(),
    };
  }
}
