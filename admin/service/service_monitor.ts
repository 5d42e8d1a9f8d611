/** The admin server's view of a running service. @module */
import type { CloseReason } from "../../socket/errors.ts";
import { systemClock } from "../../socket/tcp.ts";
import type { Clock } from "../../internal/clock.ts";
import { type DurationCounts, DurationHistogram } from "../../internal/duration_histogram.ts";
import { action, checkNames, parseFlag, plainAction } from "../action.ts";
import { ConnectionDirectory, type OpenConnection } from "../connection_directory.ts";
import type { ListedConnection } from "../connection_row.ts";
import { EventLoopLag } from "../metrics/event_loop_lag.ts";
import { MetricSet } from "../metrics/metric_set.ts";
import {
  addProcessMetrics,
  type BuildInfo,
  EVENT_LOOP_LAG,
  type OtherProcesses,
  type ProcessFigures,
  processFigures,
} from "../metrics/process_metrics.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Sampler } from "../sampler.ts";
import type { ActionResult, AdminAction, AdminTarget, ConnectionList } from "../target.ts";
import { ACK_TIME, addServiceMetrics } from "./service_metrics.ts";
import { type ServiceSample, ServiceSampler } from "./service_sample.ts";
import type { ServiceStats } from "./stats.ts";

/** A running service, as far as the monitor uses it. */
export interface MonitoredService {
  stats(): object;
  /** Updates `stats()` and `processes` to the present, for a service that runs in several processes. */
  collect?(): Promise<void>;
  readonly connections?: Iterable<OpenConnection> | undefined;
  /** The processes of the service, if it runs in several. */
  readonly processes?: MonitoredProcesses | undefined;
  /** Messages without an ok by the connection that sent them. */
  unsettledByConnection?(): ReadonlyMap<unknown, number>;
  /** Resolves when the service has ended. */
  readonly finished: Promise<void>;
}

/** The processes of a service, each of which has a monitor of its own. */
export interface MonitoredProcesses {
  readonly connections: ConnectionList;
  /** Bytes of all connections. */
  bytes(): { readonly bytesIn: number; readonly bytesOut: number };
  /** The processes besides this one. */
  readonly others: OtherProcesses;
  /** Must be called with the histograms to keep up to date. */
  watch(times: Readonly<Record<keyof MonitorFigures["times"], DurationHistogram>>): void;
}

/** Figures that the monitor of one process sends to the monitor of all processes. */
export interface MonitorFigures {
  readonly bytes: { readonly bytesIn: number; readonly bytesOut: number };
  readonly times: { readonly ack: DurationCounts; readonly lag: DurationCounts };
  readonly process: ProcessFigures;
}

/** Limits of a running service. */
export interface ServiceLimits {
  /** The limits by option name, in the notation of the command line. */
  readonly current: Readonly<Record<string, string>>;
  /** Changes limits. @throws {RangeError} If a name or a value is not accepted. */
  set(changes: URLSearchParams): Promise<void>;
}

/** Control over a running service. */
export interface ServiceControl {
  /** Both resolve when it is done, to why it is impossible, or to `undefined`. */
  suspend(): Promise<string | undefined>;
  resume(): Promise<string | undefined>;
  /** Limits that can change while the service runs, by option name. Default: none. */
  readonly limits?: ServiceLimits | undefined;
  /** Begins to drain, if that has not begun. */
  drain(): void;
  readonly draining: boolean;
}

/** A process is out of descriptors until it has accepted for this long, in ms, without a pause. */
const SHORTAGE_MS = 5000;

/**
 * Collects what the admin server shows of a service. It exists before the service, which gets its hooks:
 * {@linkcode ServiceMonitor.ackTimes}, {@linkcode ServiceMonitor.closed}, and {@linkcode ServiceMonitor.exhausted}.
 */
export class ServiceMonitor implements Disposable {
  /** For the relay: the time from each message to its ok. */
  readonly ackTimes: DurationHistogram;
  readonly #build: BuildInfo;
  readonly #clock: Clock;
  readonly #lag: EventLoopLag;
  readonly #directory: ConnectionDirectory;
  /** Pauses of accepting for lack of descriptors, and the time of the last one. */
  #shortages = 0;
  #shortageAt: number | undefined;
  #service: MonitoredService | undefined;
  readonly #telemetry: Telemetry | undefined;
  #sampler: Sampler<ServiceSample> | undefined;
  #export: Disposable | undefined;

  /** @param options.telemetry Receives metrics and connections, too. Default: nothing does. */
  constructor(
    build: BuildInfo,
    { clock = systemClock, telemetry }: {
      readonly clock?: Clock;
      readonly telemetry?: Telemetry | undefined;
    } = {},
  ) {
    this.#telemetry = telemetry;
    this.#build = build;
    this.#clock = clock;
    this.ackTimes = telemetry?.durations(ACK_TIME) ?? new DurationHistogram();
    this.#lag = new EventLoopLag(clock, telemetry?.durations(EVENT_LOOP_LAG));
    this.#directory = new ConnectionDirectory({
      open: () => this.#service?.connections ?? [],
      pending: () => this.#service?.unsettledByConnection?.() ?? new Map(),
      clock,
      epoch: performance.timeOrigin,
    });
  }

  /** Must be called for each connection that has closed. */
  closed(connection: ListedConnection, reason: CloseReason): void {
    this.#directory.remember(connection, reason);
    this.#telemetry?.connectionClosed(connection, reason, performance.timeOrigin);
  }

  /** Observes the lines of a relay for spans; `undefined` if nothing is traced. */
  get lineObserver(): Pick<Telemetry, "received" | "sent"> | undefined {
    return this.#telemetry;
  }

  /** Must be called when the process runs out of descriptors, and when that is over. */
  exhausted(exhausted: boolean): void {
    this.#shortages = (this.#service?.stats() as ServiceStats | undefined)?.outOfDescriptors ?? 0;
    this.#shortageAt = exhausted ? this.#clock.now() : undefined;
  }

  /**
   * Whether accepting has paused recently. Waiting for the next accepted connection would be waiting forever: a load balancer
   * sends none to a server that is not ready.
   */
  #isExhausted({ outOfDescriptors = 0 }: ServiceStats): boolean {
    const now = this.#clock.now();
    if (outOfDescriptors > this.#shortages) {
      this.#shortages = outOfDescriptors;
      this.#shortageAt = now;
    }
    return this.#shortageAt !== undefined && now - this.#shortageAt < SHORTAGE_MS;
  }

  /** Begins to watch a service. Returns what the admin server shows of it. */
  watch(service: MonitoredService, control: ServiceControl): AdminTarget {
    const { name, version } = this.#build;
    const stats = (): ServiceStats => service.stats();
    const notReady = (): string[] => [
      ...(control.draining ? ["draining"] : []),
      ...(stats().suspended === true ? ["suspended"] : []),
      ...(stats().processes === 0 ? ["no process serves"] : []),
      ...(stats().bus?.connected === false ? ["disconnected from the cluster"] : []),
      ...(this.#isExhausted(stats()) ? ["out of descriptors"] : []),
    ];
    const { processes } = service;
    const bytes = () => processes?.bytes() ?? this.#directory.sample();
    this.#service = service;
    if (processes === undefined) this.#lag.start();
    else processes.watch({ ack: this.ackTimes, lag: this.#lag.durations });
    const sampler = new ServiceSampler({
      stats,
      bytes,
      notReady,
      lag: this.#lag.durations,
      ackTimes: this.ackTimes,
    });
    this.#sampler = new Sampler(
      () => sampler.sample(performance.timeOrigin + this.#clock.now()),
      this.#clock,
    );
    this.#sampler.start();
    const metrics = new MetricSet();
    addServiceMetrics(metrics, {
      stats,
      bytes,
      ready: () => notReady().length === 0,
      ackTimes: this.ackTimes,
    });
    addProcessMetrics(metrics, this.#build, this.#lag, processes && (() => processes.others));
    // Otherwise each process exports its own.
    if (processes === undefined) this.#export = this.#telemetry?.export(metrics, this.#sampler);
    return {
      kind: "server",
      name,
      version,
      state: async () => {
        await service.collect?.();
        return service.stats();
      },
      notReady,
      connections: processes?.connections ??
        (service.connections === undefined ? undefined : this.#directory),
      actions: actionsOf(service, control),
      ...(control.limits === undefined ? {} : { limits: () => control.limits!.current }),
      live: this.#sampler,
      metrics: async () => {
        await service.collect?.();
        return await metrics.text();
      },
    };
  }

  /** The connections of this process. */
  get connections(): ConnectionList {
    return this.#directory;
  }

  /** Returns the figures for the monitor of all processes. */
  figures(): MonitorFigures {
    return {
      bytes: this.#directory.sample(),
      times: { ack: this.ackTimes.counts(), lag: this.#lag.durations.counts() },
      process: processFigures(),
    };
  }

  /** Stops sampling. */
  [Symbol.dispose](): void {
    this.#lag.stop();
    this.#sampler?.stop();
    this.#export?.[Symbol.dispose]();
  }
}

function actionsOf(
  service: MonitoredService,
  control: ServiceControl,
): Readonly<Record<string, AdminAction>> {
  return {
    suspend: plainAction(async () => resultOf(await control.suspend(), { suspended: true })),
    resume: plainAction(async () => resultOf(await control.resume(), { suspended: false })),
    ...(control.limits === undefined
      ? {}
      : { limits: action((query) => changeLimits(control.limits!, query)) }),
    drain: action(async (query) => {
      checkNames(query, ["wait"]);
      const wait = parseFlag(query, "wait");
      control.drain();
      if (!wait) return { status: 202, body: { draining: true } };
      await service.finished;
      return { body: { drained: true, ...service.stats() } };
    }),
  };
}

async function changeLimits(limits: ServiceLimits, query: URLSearchParams): Promise<ActionResult> {
  await limits.set(query);
  return { body: limits.current };
}

function resultOf(problem: string | undefined, body: object): ActionResult {
  return problem === undefined ? { body } : { status: 409, body: { error: problem } };
}
