/** A server process that shares the work of a server with others. @module */
import {
  type ChildEnd,
  type ChildMessage,
  ChildProcess,
  describeEnd,
} from "../../../loadtest/process/child_process.ts";
import type { Address } from "../../../socket/network.ts";
import { instanceEnvironment } from "../../shared/telemetry_environment.ts";
import { NOTIFY_ENV } from "../service_manager.ts";

/** A process that does not answer for this long, in ms, hangs. */
const ANSWER_TIMEOUT = 5000;

/** A running server process, controlled through its stdin and stdout. */
export class Worker {
  /** Settles when the process has ended. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #addresses: Address[] = [];
  readonly #answers: PromiseWithResolvers<ChildMessage | undefined>[] = [];
  readonly #listening = Promise.withResolvers<void>();

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
      this.#listening.reject(new Error(`The process ended before it listened: ${describeEnd(end)}`));
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

  /** Returns the state of the process, or `undefined` if it is gone or hangs. */
  async state(): Promise<Record<string, unknown> | undefined> {
    const message = await this.request("state");
    if (message === undefined) return undefined;
    const { event: _, ...state } = message;
    return state;
  }

  /** Sends a control line, and returns the answer, or `undefined` if the process is gone or hangs. */
  async request(line: string): Promise<ChildMessage | undefined> {
    const answer = Promise.withResolvers<ChildMessage | undefined>();
    this.#answers.push(answer);
    const timer = setTimeout(() => answer.resolve(undefined), ANSWER_TIMEOUT);
    try {
      await this.#process.send(line);
      return await Promise.race([answer.promise, this.ended.then(() => undefined)]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal. Does nothing once the process has ended. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  #receive(message: ChildMessage): void {
    if (message.event === "listening") {
      this.#addresses.push({ hostname: String(message.host), port: Number(message.port) });
      this.#listening.resolve();
    } else {
      this.#answers.shift()?.resolve(message);
    }
  }
}
