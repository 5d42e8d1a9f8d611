/** Counters and gauges for OpenTelemetry. @module */
import type { Attributes, Counter, Gauge, Meter } from "@opentelemetry/api";
import type { MetricReading } from "../metrics/metric_set.ts";

/**
 * Exports counters and gauges by their names in Prometheus, with the values of the last {@linkcode MetricExport.update}.
 *
 * Their instruments are synchronous, because Deno does not read observable ones when a program ends: everything since the last
 * export would be lost, which is all of a short load test.
 */
export class MetricExport {
  readonly #updates: readonly (() => void)[];

  constructor(meter: Meter, readings: readonly MetricReading[]) {
    this.#updates = readings.map(({ type, name, help, read }) => {
      const options = { description: help };
      const set = type === "counter"
        ? addingTo(meter.createCounter(name, options))
        : recordingTo(meter.createGauge(name, options));
      return () => {
        const reading = read();
        if (typeof reading === "number") return set(reading);
        for (const [labels, value] of reading) set(value, { ...labels });
      };
    });
  }

  /** Reads all values, to be exported next. */
  update(): void {
    for (const update of this.#updates) update();
  }
}

/** Returns a function that adds to a counter what is missing to a total. */
function addingTo(counter: Counter): Counter["add"] {
  const totals = new Map<string, number>();
  return (total, attributes: Attributes = {}) => {
    const series = JSON.stringify(attributes);
    const missing = total - (totals.get(series) ?? 0);
    // A series exists from its first 0 on.
    if (missing < 0 || missing === 0 && totals.has(series)) return;
    totals.set(series, total);
    counter.add(missing, attributes);
  };
}

function recordingTo(gauge: Gauge): Gauge["record"] {
  return (value, attributes) => gauge.record(value, attributes);
}
