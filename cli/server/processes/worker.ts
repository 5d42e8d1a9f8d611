/** A server process that shares the work of a server with others. @module */
import {
  type ChildEnd,
  type ChildMessage,
  ChildProcess,
  describeEnd,
} from "../../../loadtest/process/child_process.ts";
import type { MonitorFigures } from "../../../admin/mod.ts";
import type { Address } from "../../../socket/network.ts";
import { instanceEnvironment } from "../../shared/telemetry_environment.ts";
import { NOTIFY_ENV } from "../service_manager.ts";

/** A process that does not answer for this long, in ms, hangs. Shorter than the timeout of those who ask the first process. */
const ANSWER_TIMEOUT = 3000;

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
  readonly #answers: PromiseWithResolvers<ChildMessage | undefined>[] = [];
  readonly #listening = Promise.withResolvers<void>();
  /** Resolves when a process that hangs answers again; `undefined` while it does not hang. */
  #hanging: PromiseWithResolvers<void> | undefined;
  #known: WorkerReport = {};

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
      for (const answer of this.#answers.splice(0)) answer.resolve(undefined);
    });
    // It may end before anything waits for it to listen; `ended` reports that.
    this.#listening.promise.catch(() => {});
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Waits until the process listens, and returns its addresses. Rejects if it ends before. */
  async listening(): Promise<readonly Address[]> {
    await this.#listening.promise;
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
    const late = new AbortController();
    const gaveUp = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      this.#hanging ??= Promise.withResolvers();
      late.abort();
      gaveUp.resolve(undefined);
    }, ANSWER_TIMEOUT);
    try {
      return await Promise.race([
        this.#ask(line, late.signal),
        gaveUp.promise,
        this.ended.then(() => undefined),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(line: string, late: AbortSignal): Promise<ChildMessage | undefined> {
    // Lines that it does not read would fill its pipe.
    await this.#hanging?.promise;
    if (late.aborted) return undefined;
    const answer = Promise.withResolvers<ChildMessage | undefined>();
    this.#answers.push(answer);
    await this.#process.send(line);
    return await answer.promise;
  }

  /** Sends a signal. Does nothing once the process has ended. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
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
    this.#hanging?.resolve();
    this.#hanging = undefined;
    this.#answers.shift()?.resolve(message);
  }
}
