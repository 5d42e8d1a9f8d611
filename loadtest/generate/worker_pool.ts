/** Runs the clients of a plan in several processes: the parent side. @module */
import type { Clock } from "../../internal/clock.ts";
import { clockStep } from "../process/clock_step.ts";
import { formatDuration } from "../../internal/duration.ts";
import { systemClock } from "../../socket/tcp.ts";
import { type Generator, type GeneratorProgress, ownUsage } from "./generator.ts";
import { describeGeneratorEnd, type GeneratorProcess } from "./generator_process.ts";
import type { WorkerStart } from "./worker.ts";
import { type WorkerOptions, WorkerProcess } from "./worker_process.ts";
import type { AgentEvent, DiedEvent, RunEvent } from "../history/events.ts";
import { LineFile } from "../history/line_file.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { encodeHistograms, mergeHistograms } from "../metrics/live_histograms.ts";
import { mergeTrouble, SILENT_AFTER, type SilentGenerator } from "../judge/trouble.ts";
import type { PaceSetting } from "../pace/pace.ts";
import { Ledger } from "../ledger/ledger.ts";
import { addUsage, NO_USAGE, type ProcessUsage, usageElsewhere } from "../process/process_usage.ts";

/** Options for {@linkcode WorkerPool}. */
export interface WorkerPoolOptions extends WorkerOptions {
  /** Receives the deaths of workers, and their agents; client events go to the workers' own files. */
  readonly onEvent?: (event: DiedEvent | AgentEvent) => void;
  /** Stops waiting until the workers are ready. */
  readonly signal?: AbortSignal | undefined;
}

/** The workers cannot begin. */
export class GeneratorError extends Error {
  /** Always `GeneratorError`. */
  override readonly name = "GeneratorError";
}

/** From the start message to the beginning of the run, in ms: the message must reach all workers first. */
const BEGIN_MS = 200;
/** Time in ms for a stopped worker to send its ledger before it is killed. */
const GRACE_MS = 15_000;
/** Longest time in ms until a worker is ready, as for the import of a scenario, which may read its data first. */
const READY_MS = 5 * 60_000;
const HUNG = "it did not stop, as if its code looped without end, and was killed";

/** Runs all clients in several processes. If one dies, that is recorded, and the others continue. */
export class WorkerPool implements Generator {
  begin = NaN;
  readonly #options: WorkerPoolOptions;
  readonly #ledger: Ledger;
  readonly #parts: readonly WorkerProcess[];
  readonly #died: DiedEvent[] = [];
  #usage = NO_USAGE;

  private constructor(options: WorkerPoolOptions, parts: readonly WorkerProcess[]) {
    this.#options = options;
    this.#ledger = new Ledger(options.run);
    this.#parts = parts;
    for (const { agentEvent } of parts) if (agentEvent !== undefined) this.#record(agentEvent);
  }

  /**
   * Starts the workers, and waits until each has made its plan. Rejects if an agent cannot be used.
   *
   * @throws {GeneratorError} If a worker is not ready in time, or `signal` aborts.
   */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const numbers = Array.from({ length: options.processes }, (_, number) => number);
    const starting = numbers.map((number) => WorkerProcess.start(options, number));
    try {
      return await WorkerPool.#whenReady(starting, options);
    } catch (error) {
      for (const one of starting) one.then(({ process }) => abandon(process), () => {});
      throw error;
    }
  }

  static async #whenReady(
    starting: readonly Promise<WorkerProcess>[],
    options: WorkerPoolOptions,
  ): Promise<WorkerPool> {
    const { clock = systemClock, signal } = options;
    const gaveUp = Promise.withResolvers<never>();
    const parts: WorkerProcess[] = [];
    const interrupt = (): void => gaveUp.reject(new GeneratorError("interrupted"));
    signal?.addEventListener("abort", interrupt, { once: true });
    if (signal?.aborted) interrupt();
    const timer = clock.after(READY_MS, () => {
      const late = parts.filter(({ isReady }) => !isReady).map(({ label }) => label).join(", ");
      gaveUp.reject(new GeneratorError(`${late} was not ready within ${formatDuration(READY_MS)}`));
    });
    const ready = async (): Promise<WorkerPool> => {
      const started = await Promise.allSettled(starting);
      for (const one of started) {
        if (one.status === "rejected") throw one.reason;
        parts.push(one.value);
      }
      await Promise.all(parts.map((part) => part.ready));
      return new WorkerPool(options, parts);
    };
    try {
      return await Promise.race([ready(), gaveUp.promise]);
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", interrupt);
    }
  }

  get runEvent(): RunEvent {
    return this.#options.run;
  }

  get progress(): GeneratorProgress {
    const parts = this.#parts.map((part) => part.progress);
    const sum = (of: (part: GeneratorProgress) => number) =>
      parts.reduce((total, part) => total + of(part), 0);
    const latency = new LatencyHistogram();
    for (const part of parts) latency.mergeEncoded(part.latency);
    return {
      started: sum(({ started }) => started),
      connected: sum(({ connected }) => connected),
      acknowledged: sum(({ acknowledged }) => acknowledged),
      open: sum(({ open }) => open),
      resent: sum(({ resent }) => resent),
      finished: sum(({ finished }) => finished),
      lag: Math.max(...parts.map(({ lag }) => lag)),
      histograms: encodeHistograms(mergeHistograms(parts.map(({ histograms }) => histograms))),
      trouble: {
        ...mergeTrouble(parts.map(({ trouble }) => trouble)),
        died: this.#died,
        silent: this.#silent(),
      },
      latency: latency.encode(),
    };
  }

  async run(): Promise<void> {
    this.begin = this.#clock.now() + BEGIN_MS;
    const beginsAt = performance.timeOrigin + this.begin + clockStep();
    await Promise.all(this.#parts.map((part) => this.#runPart(part, beginsAt)));
    this.#usage = this.#parts
      .map(({ process, usage }) => process.agent === undefined ? usage : usageElsewhere(usage))
      .reduce(addUsage, ownUsage());
  }

  stop(): void {
    for (const part of this.#parts) part.process.terminate(GRACE_MS);
  }

  setPace(setting: PaceSetting): void {
    for (const part of this.#parts) void part.process.send(JSON.stringify(setting));
  }

  ledger(): Ledger {
    return this.#ledger;
  }

  usage(): ProcessUsage {
    return this.#usage;
  }

  /**
   * Writes the events of other machines to the files of `historyOf`, once `run` has settled. Call it once. The events
   * arrive in slices, so that memory does not grow with them.
   *
   * @throws {AgentError} If an agent is lost before its last event
   * @throws {Error} What the OS reported if a file cannot be written
   */
  async collectHistories(): Promise<void> {
    const { historyOf } = this.#options;
    if (historyOf === undefined) return;
    const collected = await Promise.allSettled(this.#parts.map(async ({ number, process }) => {
      if (process.history === undefined) return;
      using file = new LineFile(historyOf(number));
      await process.history((lines) => lines.forEach((line) => file.write(line)));
      await process.close?.();
    }));
    for (const one of collected) if (one.status === "rejected") throw one.reason;
  }

  async #runPart(part: WorkerProcess, beginsAt: number): Promise<void> {
    const order: WorkerStart = { beginsAt: beginsAt + (part.process.agent?.offset ?? 0) };
    await part.process.send(JSON.stringify(order));
    const end = await part.process.ended;
    part.over = true;
    if (this.#options.historyOf === undefined) await part.process.close?.();
    if (this.#absorb(part) && "code" in end && end.code === 0) return;
    const at = this.#clock.now() - this.begin;
    const { agent } = part.process;
    const event: DiedEvent = {
      event: "died",
      at,
      process: part.number,
      ...(agent === undefined ? {} : { agent: agent.name }),
      detail: part.broken ?? (part.process.killed ? HUNG : describeGeneratorEnd(end)),
    };
    this.#died.push(event);
    this.#record(event);
  }

  /** Adds the ledger of a worker. Returns `false` if it did not send one. */
  #absorb(part: WorkerProcess): boolean {
    try {
      const ledger = part.ledger();
      if (ledger !== undefined) this.#ledger.absorb(ledger);
      return ledger !== undefined;
    } catch (error) {
      part.broken ??= `its ledger cannot be read: ${error instanceof Error ? error.message : error}`;
      return false;
    }
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  /** Returns the workers that should have reported lately, and did not. */
  #silent(): SilentGenerator[] {
    const since = this.#clock.now() - SILENT_AFTER;
    return this.#parts
      .filter(({ over, reportedAt }) => !over && Math.max(reportedAt, this.begin) < since)
      .map(({ number, process: { agent } }) => ({
        process: number,
        ...(agent === undefined ? {} : { agent: agent.name }),
      }));
  }

  #record(event: DiedEvent | AgentEvent): void {
    this.#ledger.record(event);
    this.#options.onEvent?.(event);
  }
}

/** Ends a process that nothing waits for anymore. */
function abandon(process: GeneratorProcess): void {
  process.terminate(0);
  void process.ended.then(() => process.close?.());
}
