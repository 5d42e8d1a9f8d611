/** A server process that shares the work of a server with others. @module */
import {
  type ChildEnd,
  type ChildMessage,
  ChildProcess,
  describeEnd,
} from "../../../loadtest/process/child_process.ts";
import { formatDuration } from "../../../internal/duration.ts";
import type { MonitorFigures } from "../../../admin/mod.ts";
import type { Address } from "../../../socket/network.ts";
import { instanceEnvironment } from "../../shared/telemetry_environment.ts";
import { NOTIFY_ENV } from "../service_manager.ts";

/** A process that does not answer for this long, in ms, hangs. Shorter than the timeout of those who ask the first process. */
const ANSWER_TIMEOUT = 3000;

/** A process that does not listen within this time, in ms, will not. */
const START_TIMEOUT = 60_000;

/** A control line, and the promise of its answer, which is `undefined` if the process is gone or hangs. */
interface Request {
  readonly line: string;
  readonly answer: PromiseWithResolvers<ChildMessage | undefined>;
}

/** The state of a process, as in `stats()` of its service. */
export type WorkerState = Readonly<Record<string, unknown>>;

/** The last report of a process. */
export interface WorkerReport {
  readonly state?: WorkerState;
  /** Reported only if it has a monitor. */
  readonly figures?: MonitorFigures;
}

/** A running server process, controlled through its stdin and stdout. */
export class Worker {
  /** Settles when the process has ended. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #addresses: Address[] = [];
  /** Requests that were sent, oldest first. */
  readonly #asked: Request[] = [];
  /** Requests that are sent when a process that hangs answers again; `undefined` while it does not hang. */
  #postponed: Set<Request> | undefined;
  readonly #listening = Promise.withResolvers<void>();
  #known: WorkerReport = {};
  #over = false;

  /** @param command The program and its arguments, with `--json --control`. */
  constructor(command: readonly [string, ...string[]]) {
    this.#process = new ChildProcess({
      command,
      env: { ...NOTIFY_ENV, ...instanceEnvironment(crypto.randomUUID()) },
      // A Ctrl-C at the terminal goes to the first process alone, which drains the others.
      detached: true,
      onMessage: (message) => this.#receive(message),
    });
    this.ended = this.#process.ended;
    void this.ended.then((end) => {
      this.#listening.reject(new Error(`one of them ended before it listened: ${describeEnd(end)}`));
      this.#over = true;
      for (const { answer } of [...this.#asked.splice(0), ...this.#postponed ?? []]) {
        answer.resolve(undefined);
      }
      this.#postponed?.clear();
    });
    // It may end before anything waits for it to listen; `ended` reports that.
    this.#listening.promise.catch(() => {});
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Whether it hung, so that {@linkcode Worker.terminate} had to kill it. */
  get killed(): boolean {
    return this.#process.killed;
  }

  /** Waits until the process listens, and returns its addresses. Rejects if it ends before, and if it hangs. */
  async listening(): Promise<readonly Address[]> {
    const timer = setTimeout(() => {
      this.#listening.reject(new Error(`one of them did not listen within ${formatDuration(START_TIMEOUT)}`));
      this.kill("SIGKILL");
    }, START_TIMEOUT);
    try {
      await this.#listening.promise;
    } finally {
      clearTimeout(timer);
    }
    // The answer follows the lines of all addresses.
    await this.state();
    return this.#addresses;
  }

  /** The last state and figures that the process reported, which may have been at its end. */
  get known(): WorkerReport {
    return this.#known;
  }

  /** Asks for the state of the process. Resolves to `undefined` if it is gone or hangs. */
  async state(): Promise<WorkerState | undefined> {
    return await this.request("state") && this.#known.state;
  }

  /** Asks for the figures of its monitor. Resolves to `undefined` if it is gone or hangs. */
  async figures(): Promise<MonitorFigures | undefined> {
    return await this.request("figures") && this.#known.figures;
  }

  /** Sends a control line, and returns the answer, or `undefined` if the process is gone or hangs. */
  async request(line: string): Promise<ChildMessage | undefined> {
    if (this.#over) return undefined;
    // A promise of its own. A race with `ended` would keep every answer in memory until the process ends.
    const request: Request = { line, answer: Promise.withResolvers() };
    const timer = setTimeout(() => {
      this.#postponed ??= new Set();
      this.#postponed.delete(request);
      request.answer.resolve(undefined);
    }, ANSWER_TIMEOUT);
    // Lines that it does not read would fill its pipe.
    if (this.#postponed === undefined) this.#ask(request);
    else this.#postponed.add(request);
    try {
      return await request.answer.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(request: Request): void {
    this.#asked.push(request);
    this.#process.send(request.line).catch(request.answer.reject);
  }

  /** Sends a signal. Does nothing once the process has ended. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Lets the process end, and kills it after `grace` ms. Another call may shorten that time. */
  terminate(grace: number): void {
    this.#process.terminate(grace);
  }

  #receive(message: ChildMessage): void {
    const { event, ...data } = message;
    if (event === "listening") {
      this.#addresses.push({ hostname: String(message.host), port: Number(message.port) });
      this.#listening.resolve();
      return;
    }
    if (event === "state") this.#known = { ...this.#known, state: data };
    if (event === "figures") this.#known = { ...this.#known, figures: data as unknown as MonitorFigures };
    if (event === "ended") {
      this.#known = data;
      return;
    }
    this.#asked.shift()?.answer.resolve(message);
    const postponed = this.#postponed ?? [];
    this.#postponed = undefined;
    for (const request of postponed) this.#ask(request);
  }
}
