/** One of several generator processes, as its parent sees it. @module */
import { Buffer } from "node:buffer";
import { deserialize } from "node:v8";
import type { Clock } from "../../internal/clock.ts";
import { systemClock } from "../../socket/tcp.ts";
import { type GeneratorRun, NO_PROGRESS } from "./generator.ts";
import type { GeneratorProcess, StartGenerator } from "./generator_process.ts";
import type { WorkerSetup } from "./worker.ts";
import type { AgentEvent } from "../history/events.ts";
import type { LedgerSnapshot } from "../ledger/ledger.ts";
import type { ChildMessage } from "../process/child_process.ts";
import { NO_USAGE } from "../process/process_usage.ts";
import { orderOf } from "../scenario/scenario_order.ts";

/** Options for {@linkcode WorkerProcess}. */
export interface WorkerOptions extends GeneratorRun {
  /** Starts a worker: a program that calls `runWorker`. */
  readonly startProcess: StartGenerator;
  readonly processes: number;
  /** Returns where a worker writes its events. Default: nowhere. */
  readonly historyOf?: (part: number) => string;
  /** Default: the system's, which the workers share. */
  readonly clock?: Clock;
}

const MALFORMED = "it sent a message that is not a generator's";

/** One worker, and what it has sent. */
export class WorkerProcess {
  readonly number: number;
  readonly process: GeneratorProcess;
  /** Resolves when it waits for the run to begin, or has ended. */
  readonly ready: Promise<void>;
  progress = NO_PROGRESS;
  /** When it last sent anything. */
  reportedAt = -Infinity;
  /** Whether it has ended. */
  over = false;
  usage = NO_USAGE;
  /** Why what it sends cannot be used. Default: it can. */
  broken: string | undefined;
  isReady = false;
  readonly #now: () => number;
  readonly #ready = Promise.withResolvers<void>();
  readonly #pieces: Uint8Array[] = [];
  #whole = false;

  /** Rejects if its agent cannot be used. */
  static async start(options: WorkerOptions, number: number): Promise<WorkerProcess> {
    const early: ChildMessage[] = [];
    let receive = (message: ChildMessage): void => void early.push(message);
    const process = await options.startProcess(number, (message) => receive(message));
    const worker = new WorkerProcess(options, { number, process });
    receive = (message) => worker.#receive(message);
    early.forEach(receive);
    return worker;
  }

  private constructor(
    options: WorkerOptions,
    { number, process }: Pick<WorkerProcess, "number" | "process">,
  ) {
    const { processes, plan, historyOf, run, targets, faults, tls, token, scenario, watched } = options;
    const { clock = systemClock } = options;
    this.#now = () => clock.now();
    this.number = number;
    this.process = process;
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
      .then(() => Promise.race([this.#ready.promise, this.process.ended.then(() => {})]));
  }

  /** Returns its complete ledger, or `undefined` if it did not send one. */
  ledger(): LedgerSnapshot | undefined {
    return this.#whole ? deserialize(Buffer.concat(this.#pieces)) as LedgerSnapshot : undefined;
  }

  /** Its name in an error. */
  get label(): string {
    const { agent } = this.process;
    return `generator process ${this.number}${agent === undefined ? "" : ` at the agent ${agent.name}`}`;
  }

  /** The agent that runs it, and its clock, for the ledger. */
  get agentEvent(): AgentEvent | undefined {
    const { agent } = this.process;
    return agent && { event: "agent", process: this.number, ...agent };
  }

  #receive(line: ChildMessage): void {
    this.reportedAt = this.#now();
    const { event, progress, usage } = line;
    if (event === "ready") {
      this.isReady = true;
      this.#ready.resolve();
    } else if (event === "progress") {
      if (isLike(progress, NO_PROGRESS)) this.progress = progress;
      else this.#break();
    } else if (event === "usage") {
      if (isLike(usage, NO_USAGE)) this.usage = usage;
      else this.#break();
    } else if (event === "ledger") {
      this.#pieces.push(Buffer.from(String(line.piece), "base64"));
      this.#whole = line.last === true;
    }
  }

  #break(): void {
    this.broken ??= MALFORMED;
    this.process.terminate(0);
  }
}

/** Whether a value from another process has the properties of `example`, of the same types. A number may be unknown. */
function isLike<Shape extends object>(value: unknown, example: Shape): value is Shape {
  return typeof value === "object" && value !== null &&
    Object.entries(example).every(([name, one]) => {
      const own: unknown = Reflect.get(value, name);
      const unknown = own === null && (one === null || typeof one === "number");
      return unknown || one === null || (own !== null && typeof own === typeof one);
    });
}
