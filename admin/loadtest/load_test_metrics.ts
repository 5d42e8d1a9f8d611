/** Metrics of a load test. @module */
import type { MetricSet } from "../metrics/metric_set.ts";
import type { LoadTestSample } from "./load_test_monitor.ts";

/** Adds the metrics of a load test, each read from a sample of the moment. */
export function addLoadTestMetrics(metrics: MetricSet, sample: () => LoadTestSample): void {
  const gauge = (name: string, help: string, read: (now: LoadTestSample) => number): void =>
    metrics.gauge({ name: `okline_loadtest_${name}`, help, read: () => read(sample()) });
  const counter = (name: string, help: string, read: (now: LoadTestSample) => number): void =>
    metrics.counter({ name: `okline_loadtest_${name}_total`, help, read: () => read(sample()) });
  gauge("clients", "Planned clients.", ({ clients }) => clients);
  gauge("connections", "Open connections of clients.", ({ open }) => open);
  counter("started", "Started clients.", ({ started }) => started);
  counter("acknowledged", "Acknowledged messages.", ({ acknowledged }) => acknowledged);
  counter("resent", "Messages sent again.", ({ resent }) => resent);
  counter("finished", "Clients that are done.", ({ finished }) => finished);
  gauge("paused", "1 while the load test is paused, else 0.", ({ paused }) => Number(paused));
  gauge("speed", "How many times as fast as planned new work starts.", ({ speed }) => speed);
  gauge("findings", "Things that are wrong with the run so far.", ({ findings }) => findings.length);
  gauge(
    "lag_seconds",
    "How late the generators are at the 99th percentile.",
    ({ generatorLag }) => generatorLag / 1000,
  );
  metrics.gauge({
    name: "okline_loadtest_latency_seconds",
    help: "Percentiles of the time from planned start to ok, so far.",
    labels: ["percentile"],
    read: () => Object.entries(sample().latency ?? {}).map(([percentile, ms]) => [{ percentile }, ms / 1000]),
  });
}
