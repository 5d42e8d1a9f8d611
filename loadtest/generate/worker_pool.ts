/** Runs the clients of a plan in several processes: the parent side. @module */
import { Buffer } from "node:buffer";
import { deserialize } from "node:v8";
import { systemClock } from "../../socket/tcp.ts";
import {
  type Generator,
  type GeneratorProgress,
  type GeneratorRun,
  NO_PROGRESS,
  ownUsage,
} from "./generator.ts";
import type { WorkerSetup, WorkerStart } from "./worker.ts";
import type { DiedEvent, RunEvent } from "../history/events.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { encodeHistograms, mergeHistograms } from "../metrics/live_histograms.ts";
import { mergeTrouble } from "../judge/trouble.ts";
import type { PaceSetting } from "../pace/pace.ts";
import { Ledger, type LedgerSnapshot } from "../ledger/ledger.ts";
import { orderOf } from "../scenario/scenario_order.ts";
import { type ChildMessage, ChildProcess, describeEnd } from "../process/child_process.ts";
import { addUsage, NO_USAGE, type ProcessUsage } from "../process/process_usage.ts";

/** Options for {@linkcode WorkerPool}. */
export interface WorkerPoolOptions extends GeneratorRun {
  /** The program of one worker; it must call `runWorker`. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly processes: number;
  /** Returns where a worker writes its events. Default: nowhere. */
  readonly historyOf?: (part: number) => string;
  /** Receives the deaths of workers; client events go to the workers' own files. */
  readonly onEvent?: (event: DiedEvent) => void;
}

/** From the start message to the beginning of the run, in ms: the message must reach all workers first. */
const BEGIN_MS = 200;
/** Time in ms for a stopped worker to send its ledger before it is killed. */
const GRACE_MS = 15_000;

/** Runs all clients in several processes. If one dies, that is recorded, and the others continue. */
export class WorkerPool implements Generator {
  begin = NaN;
  readonly #options: WorkerPoolOptions;
  readonly #ledger: Ledger;
  readonly #parts: readonly WorkerProcess[];
  readonly #died: DiedEvent[] = [];
  #usage = NO_USAGE;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.run);
    this.#parts = Array.from({ length: options.processes }, (_, part) => new WorkerProcess(options, part));
  }

  /** Starts the workers, and waits until each has made its plan. */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const generator = new WorkerPool(options);
    await Promise.all(generator.#parts.map((part) => part.ready));
    return generator;
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
      acknowledged: sum(({ acknowledged }) => acknowledged),
      open: sum(({ open }) => open),
      resent: sum(({ resent }) => resent),
      finished: sum(({ finished }) => finished),
      lag: Math.max(...parts.map(({ lag }) => lag)),
      histograms: encodeHistograms(mergeHistograms(parts.map(({ histograms }) => histograms))),
      trouble: { ...mergeTrouble(parts.map(({ trouble }) => trouble)), died: this.#died },
      latency: latency.encode(),
    };
  }

  async run(): Promise<void> {
    this.begin = systemClock.now() + BEGIN_MS;
    const order: WorkerStart = { beginsAt: performance.timeOrigin + this.begin };
    await Promise.all(this.#parts.map((part) => this.#runPart(part, order)));
    this.#usage = this.#parts.map((part) => part.usage).reduce(addUsage, ownUsage());
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

  async #runPart(part: WorkerProcess, order: WorkerStart): Promise<void> {
    await part.process.send(JSON.stringify(order));
    const end = await part.process.ended;
    const ledger = part.ledger();
    if (ledger !== undefined) this.#ledger.absorb(ledger);
    if (ledger !== undefined && end.code === 0) return;
    const at = systemClock.now() - this.begin;
    const event: DiedEvent = { event: "died", at, process: part.number, detail: describeEnd(end) };
    this.#died.push(event);
    this.#ledger.record(event);
    this.#options.onEvent?.(event);
  }
}

/** One worker, and what it has sent. */
class WorkerProcess {
  readonly number: number;
  readonly process: ChildProcess;
  /** Resolves when it waits for the run to begin, or has ended. */
  readonly ready: Promise<void>;
  progress = NO_PROGRESS;
  usage = NO_USAGE;
  readonly #pieces: Uint8Array[] = [];
  #whole = false;

  constructor(options: WorkerPoolOptions, number: number) {
    const { command, env, processes, plan, historyOf, run, targets, faults, tls, token, scenario, watched } =
      options;
    const ready = Promise.withResolvers<void>();
    this.number = number;
    this.process = new ChildProcess({
      command,
      ...(env ? { env } : {}),
      onMessage: (line) => line.event === "ready" ? ready.resolve() : this.#receive(line),
    });
    const history = historyOf?.(number);
    const order: WorkerSetup = {
      run,
      targets,
      plan: plan.options,
      part: number,
      parts: processes,
      ...(faults === undefined ? {} : { faults }),
      ...(tls === undefined ? {} : { tls }),
      ...(token === undefined ? {} : { token }),
      ...(history === undefined ? {} : { history }),
      ...(scenario === undefined ? {} : { scenario: orderOf(scenario) }),
      ...(watched === undefined ? {} : { watched }),
    };
    this.ready = this.process.send(JSON.stringify(order))
      .then(() => Promise.race([ready.promise, this.process.ended.then(() => {})]));
  }

  /** Returns its complete ledger, or `undefined` if it did not send one. */
  ledger(): LedgerSnapshot | undefined {
    return this.#whole ? deserialize(Buffer.concat(this.#pieces)) as LedgerSnapshot : undefined;
  }

  #receive(line: ChildMessage): void {
    if (line.event === "progress") this.progress = line.progress as GeneratorProgress;
    else if (line.event === "usage") this.usage = line.usage as ProcessUsage;
    else if (line.event === "ledger") {
      this.#pieces.push(Buffer.from(String(line.piece), "base64"));
      this.#whole = line.last === true;
    }
  }
}
