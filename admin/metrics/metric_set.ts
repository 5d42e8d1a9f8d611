/** Metrics that are read when they are scraped. @module */
import { Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { DurationHistogram } from "../../internal/duration_histogram.ts";

/** Labels of one time series. */
export type Labels = Readonly<Record<string, string>>;

/** The value of a metric without labels, or one value for each combination of labels. */
export type Reading = number | readonly (readonly [labels: Labels, value: number])[];

/** A metric and its values. */
export interface MetricReading {
  readonly type: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly read: () => Reading;
}

/** Options of every metric. */
export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Called at each scrape. */
  readonly read: () => Reading;
}

/** The name of a metric, and its meaning. */
export type MetricName = Pick<MetricOptions, "name" | "help">;

/** Bounds of histograms in ms: each is a bucket bound of {@linkcode DurationHistogram}, so that counts are exact. */
export const BOUNDS: readonly number[] = Array.from({ length: 16 }, (_, power) => 2 ** (power - 1));

/** A set of metrics. Nothing is counted here: every value is read from the program at the scrape. */
export class MetricSet {
  readonly #registry = new Registry();
  readonly #readings: MetricReading[] = [];

  /** The counters and gauges, for another export than {@linkcode MetricSet.text}. */
  get readings(): readonly MetricReading[] {
    return this.#readings;
  }

  /** Adds a counter. Its name must end in `_total`. */
  counter({ name, help, labels = [], read }: MetricOptions): void {
    this.#readings.push({ type: "counter", name, help, read });
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [of, value] of listOf(read())) this.inc({ ...of }, value);
      },
    });
  }

  /** Adds a gauge. */
  gauge({ name, help, labels = [], read }: MetricOptions): void {
    this.#readings.push({ type: "gauge", name, help, read });
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [of, value] of listOf(read())) this.set({ ...of }, value);
      },
    });
  }

  /** Adds a histogram of durations in seconds. */
  histogram({ name, help }: MetricName, durations: DurationHistogram): void {
    this.#registry.registerMetric(new DurationMetric({ name, help, registers: [] }, durations));
  }

  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** A histogram of the client library that takes its counts from ours: its own `observe` would cost more than a message. */
class DurationMetric extends Histogram<string> {
  readonly #durations: DurationHistogram;
  readonly #name: string;
  readonly #help: string;

  constructor(options: { name: string; help: string; registers: Registry[] }, durations: DurationHistogram) {
    super(options);
    this.#durations = durations;
    this.#name = options.name;
    this.#help = options.help;
  }

  override get(): ReturnType<Histogram<string>["get"]> {
    const durations = this.#durations;
    const bucket = (le: number | string, value: number) => ({
      metricName: `${this.#name}_bucket`,
      exemplar: null,
      labels: { le },
      value,
    });
    const values = [
      ...BOUNDS.map((ms) => bucket(ms / 1000, durations.countBelow(ms))),
      bucket("+Inf", durations.count),
      { metricName: `${this.#name}_sum`, labels: {}, value: durations.sum / 1000 },
      { metricName: `${this.#name}_count`, labels: {}, value: durations.count },
    ];
    return Promise.resolve({
      name: this.#name,
      help: this.#help,
      type: "histogram",
      values,
      aggregator: "sum",
      collect: () => {},
    });
  }

  /** The registry calls this method instead of `get` if a metric has it. */
  getForPromString(): ReturnType<Histogram<string>["get"]> {
    return this.get();
  }
}

function listOf(reading: Reading): readonly (readonly [Labels, number])[] {
  return typeof reading === "number" ? [[{}, reading]] : reading;
}
