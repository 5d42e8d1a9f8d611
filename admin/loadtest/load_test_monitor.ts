/** The admin server's view of a running load test. @module */
import type { Clock } from "../../internal/clock.ts";
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
import type { RunProgress } from "../../loadtest/run_plan.ts";
import { systemClock } from "../../socket/tcp.ts";
import { EventLoopLag } from "../metrics/event_loop_lag.ts";
import { MetricSet } from "../metrics/metric_set.ts";
import { addProcessMetrics } from "../metrics/process_metrics.ts";
import { Interval, type Percentiles } from "../percentiles.ts";
import { Sampler } from "../sampler.ts";
import type { AdminTarget } from "../target.ts";

/** The phase of a load test: its clients run, or were stopped, or are done and judged. */
export type LoadTestPhase = "starting" | "running" | "stopping" | "judging" | "done";

/** One sample. Counts are totals; latencies, in ms, are of the whole run so far. */
export interface LoadTestSample {
  /** ms since 1970. */
  readonly at: number;
  readonly phase: LoadTestPhase;
  /** Known once the run is judged. */
  readonly verdict: string | null;
  readonly clients: number;
  readonly elapsed: number;
  readonly left: number;
  readonly started: number;
  readonly acknowledged: number;
  readonly open: number;
  readonly resent: number;
  readonly finished: number;
  readonly latency: Percentiles | null;
  /** Event-loop lag of this process since the last sample. */
  readonly lag: Percentiles | null;
  readonly findings: readonly string[];
}

/** Collects what the admin server shows of a load test. */
export class LoadTestMonitor implements Disposable {
  readonly target: AdminTarget;
  readonly #clients: number;
  readonly #stop: () => void;
  readonly #clock: Clock;
  readonly #lag: EventLoopLag;
  readonly #interval: Interval;
  readonly #sampler: Sampler<LoadTestSample>;
  #phase: LoadTestPhase = "starting";
  #verdict: string | null = null;
  #findings: readonly string[] = [];
  #progress: RunProgress | undefined;

  /**
   * @param options.clients How many clients the plan has.
   * @param options.stop Stops the clients; what was measured is judged then.
   */
  constructor(
    { version, clients, stop, clock = systemClock }: {
      readonly version: string;
      readonly clients: number;
      readonly stop: () => void;
      readonly clock?: Clock;
    },
  ) {
    this.#clients = clients;
    this.#stop = stop;
    this.#clock = clock;
    this.#lag = new EventLoopLag(clock);
    this.#interval = new Interval(this.#lag.durations);
    this.#sampler = new Sampler(() => this.#sample(this.#interval.percentiles()), clock);
    const build = { name: "loadtest", version };
    const metrics = new MetricSet();
    this.#addMetrics(metrics);
    addProcessMetrics(metrics, build, this.#lag);
    this.target = {
      kind: "loadtest",
      ...build,
      state: () => this.#sample(null),
      notReady: () => [],
      actions: { stop: () => this.#stopRun() },
      live: this.#sampler,
      metrics: () => metrics.text(),
    };
    this.#lag.start();
    this.#sampler.start();
  }

  /** Must be called as the run makes progress. */
  update(progress: RunProgress): void {
    if (this.#phase === "starting") this.#phase = "running";
    this.#progress = progress;
  }

  /** Must be called when all clients are done or stopped. */
  judging(): void {
    this.#phase = "judging";
  }

  /** Must be called with the verdict; pages get it immediately. */
  judged(verdict: string, findings: readonly string[]): void {
    this.#phase = "done";
    this.#verdict = verdict;
    this.#findings = findings;
    this.#sampler.sample();
  }

  /** Stops sampling. */
  [Symbol.dispose](): void {
    this.#lag.stop();
    this.#sampler.stop();
  }

  #stopRun(): { readonly status: 202 | 409; readonly body: object } {
    if (this.#phase !== "running" && this.#phase !== "starting") {
      return { status: 409, body: { error: `Cannot stop: the load test is ${this.#phase}` } };
    }
    this.#phase = "stopping";
    this.#stop();
    return { status: 202, body: { stopping: true } };
  }

  #sample(lag: Percentiles | null): LoadTestSample {
    const { elapsed = 0, left = 0, started = 0, acknowledged = 0, open = 0, resent = 0, finished = 0 } =
      this.#progress ?? {};
    return {
      at: Math.round(performance.timeOrigin + this.#clock.now()),
      phase: this.#phase,
      verdict: this.#verdict,
      clients: this.#clients,
      elapsed: Math.round(elapsed),
      left: Math.round(left),
      started,
      acknowledged,
      open,
      resent,
      finished,
      latency: latencyOf(this.#progress),
      lag,
      findings: this.#findings,
    };
  }

  #addMetrics(metrics: MetricSet): void {
    const read = (key: "started" | "acknowledged" | "open" | "resent" | "finished") => () =>
      this.#progress?.[key] ?? 0;
    metrics.gauge({ name: "okline_loadtest_clients", help: "Planned clients.", read: () => this.#clients });
    metrics.gauge({
      name: "okline_loadtest_connections",
      help: "Open connections of clients.",
      read: read("open"),
    });
    metrics.counter({
      name: "okline_loadtest_started_total",
      help: "Started clients.",
      read: read("started"),
    });
    metrics.counter({
      name: "okline_loadtest_acknowledged_total",
      help: "Acknowledged messages.",
      read: read("acknowledged"),
    });
    metrics.counter({
      name: "okline_loadtest_resent_total",
      help: "Messages sent again.",
      read: read("resent"),
    });
    metrics.counter({
      name: "okline_loadtest_finished_total",
      help: "Clients that are done.",
      read: read("finished"),
    });
    metrics.gauge({
      name: "okline_loadtest_latency_seconds",
      help: "Percentiles of the time from planned start to ok, so far.",
      labels: ["percentile"],
      read: () =>
        Object.entries(latencyOf(this.#progress) ?? {}).map((
          [percentile, ms],
        ) => [{ percentile }, ms / 1000]),
    });
  }
}

function latencyOf(progress: RunProgress | undefined): Percentiles | null {
  if (progress === undefined) return null;
  const latency = new LatencyHistogram();
  latency.mergeEncoded(progress.latency);
  const { p50, p90, p99 } = latency.percentiles();
  return p50 === null || p90 === null || p99 === null ? null : { p50, p90, p99 };
}
