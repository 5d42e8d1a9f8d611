/** The admin server's view of a running load test. @module */
import type { Clock } from "../../internal/clock.ts";
import { type RunControl, RunControlError } from "../../loadtest/pace/run_control.ts";
import type { RunStage } from "../../loadtest/pace/run_stages.ts";
import type { RunProgress } from "../../loadtest/run_plan.ts";
import { systemClock } from "../../socket/tcp.ts";
import { action, plainAction } from "../action.ts";
import { EventLoopLag } from "../metrics/event_loop_lag.ts";
import { MetricSet } from "../metrics/metric_set.ts";
import { addProcessMetrics, EVENT_LOOP_LAG } from "../metrics/process_metrics.ts";
import { Interval, type Percentiles } from "../percentiles.ts";
import { Sampler } from "../sampler.ts";
import type { ActionResult, AdminTarget } from "../target.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { latencyOf } from "./latency_of.ts";
import { addLoadTestMetrics } from "./load_test_metrics.ts";
import { parsePaceChange } from "./pace_change.ts";

/** The phase of a load test: its clients run, or were stopped, or are done and judged. */
export type LoadTestPhase = "starting" | "running" | "stopping" | "judging" | "done";

/** One sample. Counts are totals; latencies, in ms, are of the whole run so far. */
export interface LoadTestSample {
  /** ms since 1970. */
  readonly at: number;
  readonly phase: LoadTestPhase;
  /** Known once the run is judged. */
  readonly verdict: string | null;
  /** The verdict that the run cannot get rid of, before it is judged. */
  readonly verdictSoFar: "failed" | "invalid" | null;
  readonly clients: number;
  readonly elapsed: number;
  readonly left: number;
  readonly started: number;
  readonly acknowledged: number;
  readonly open: number;
  readonly resent: number;
  readonly finished: number;
  readonly paused: boolean;
  /** Factor by which new work starts faster than planned. */
  readonly speed: number;
  /** Starts per second; `null` if nothing starts at a rate. */
  readonly rate: number | null;
  /** Index of the stage that the run is in, and the time since it began, in ms of the plan. */
  readonly stage: number;
  readonly stageElapsed: number;
  readonly latency: Percentiles | null;
  /** Lag of the generators at the 99th percentile. */
  readonly generatorLag: number;
  /** Event-loop lag of this process since the last sample. */
  readonly lag: Percentiles | null;
  /** Of the last sample only. */
  readonly stages: readonly RunStage[];
  /** Of the last sample only. What is wrong so far, or, with the verdict, in the end. */
  readonly findings: readonly string[];
}

/** Collects what the admin server shows of a load test. */
export class LoadTestMonitor implements Disposable {
  readonly target: AdminTarget;
  readonly #clients: number;
  readonly #stop: () => void;
  readonly #control: RunControl;
  readonly #clock: Clock;
  readonly #lag: EventLoopLag;
  readonly #interval: Interval;
  readonly #sampler: Sampler<LoadTestSample>;
  readonly #export: Disposable | undefined;
  #phase: LoadTestPhase = "starting";
  #verdict: string | null = null;
  #findings: readonly string[] | undefined;
  #progress: RunProgress | undefined;

  /**
   * @param options.clients How many clients the plan has.
   * @param options.control The pace of the run.
   * @param options.stop Stops the clients; what was measured is judged then.
   * @param options.telemetry Receives metrics, too. Default: nothing does.
   */
  constructor(
    { version, clients, control, stop, clock = systemClock, telemetry }: {
      readonly version: string;
      readonly clients: number;
      readonly control: RunControl;
      readonly stop: () => void;
      readonly clock?: Clock;
      readonly telemetry?: Telemetry | undefined;
    },
  ) {
    this.#clients = clients;
    this.#stop = stop;
    this.#control = control;
    this.#clock = clock;
    this.#lag = new EventLoopLag(clock, telemetry?.durations(EVENT_LOOP_LAG));
    this.#interval = new Interval(this.#lag.durations);
    this.#sampler = new Sampler(() => this.#sample(this.#interval.percentiles()), clock, {
      keep: (sample) => ({ ...sample, stages: [], findings: [] }),
    });
    const build = { name: "loadtest", version };
    const metrics = new MetricSet();
    addLoadTestMetrics(metrics, () => this.#sample(null));
    addProcessMetrics(metrics, build, this.#lag);
    this.#export = telemetry?.export(metrics, this.#sampler);
    this.target = {
      kind: "loadtest",
      ...build,
      state: () => this.#sample(null),
      notReady: () => [],
      actions: {
        pause: plainAction(() => this.#changePace(() => control.pause())),
        resume: plainAction(() => this.#changePace(() => control.resume())),
        rate: action((query) => this.#changePace(() => parsePaceChange(query)(control))),
        stop: plainAction(() => this.#stopRun()),
      },
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
    this.#export?.[Symbol.dispose]();
  }

  #changePace(change: () => void): ActionResult {
    try {
      change();
    } catch (error) {
      if (error instanceof RunControlError) return { status: 409, body: { error: error.message } };
      throw error;
    }
    this.#sampler.sample();
    return { body: this.#pace() };
  }

  #pace(): Pick<LoadTestSample, "paused" | "speed" | "rate" | "stage" | "stageElapsed"> {
    const { paused = false, speed = 1, rate = null, stage = 0, stageElapsed = 0 } = this.#control.state ?? {};
    return { paused, speed, rate, stage, stageElapsed: Math.round(stageElapsed) };
  }

  #stopRun(): ActionResult {
    if (this.#phase !== "running" && this.#phase !== "starting") {
      return { status: 409, body: { error: `Cannot stop: the load test is ${this.#phase}` } };
    }
    this.#phase = "stopping";
    this.#stop();
    this.#sampler.sample();
    return { status: 202, body: { stopping: true } };
  }

  #sample(lag: Percentiles | null): LoadTestSample {
    const { elapsed = 0, left = 0, started = 0, acknowledged = 0, open = 0, resent = 0, finished = 0 } =
      this.#progress ?? {};
    const { soFar, lag: generatorLag = 0 } = this.#progress ?? {};
    return {
      at: Math.round(performance.timeOrigin + this.#clock.now()),
      phase: this.#phase,
      verdict: this.#verdict,
      verdictSoFar: this.#verdict === null ? soFar?.verdict ?? null : null,
      clients: this.#clients,
      elapsed: Math.round(elapsed),
      left: Math.round(left),
      started,
      acknowledged,
      open,
      resent,
      finished,
      ...this.#pace(),
      latency: latencyOf(this.#progress),
      generatorLag: Math.round(generatorLag),
      lag,
      stages: this.#control.stages,
      findings: this.#findings ?? soFar?.findings.map(({ text }) => text) ?? [],
    };
  }
}
