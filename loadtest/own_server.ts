/** The server of a load test, in a process of its own, asked and counted from outside. @module */
import type { Address } from "../socket/network.ts";
import type { ServerState } from "./history.ts";
import { type ChildEnd, type ChildLine, describeEnd, LineProcess } from "./line_process.ts";
import { countSockets, cpuSeconds, peakMemory } from "./proc.ts";

/** What to start. */
export interface OwnServerOptions {
  /** The server program and its arguments; it must take `--json --quiet --control` and what follows here. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly hostnames: readonly string[];
  /** Port; 0, the default, for a free one. */
  readonly port?: number;
  /** ms. */
  readonly ackTimeout: number;
}

/** What a process has used: processor time in seconds, memory in bytes; `null` where it cannot be read. */
export interface ProcessUsage {
  readonly cpuSeconds: number | null;
  readonly peakMemory: number | null;
}

const POLL_MS = 50;

/** A server process. */
export class OwnServer {
  readonly addresses: readonly Address[];
  /** Settles when the process has ended. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: LineProcess;
  readonly #answers: PromiseWithResolvers<ChildLine | undefined>[];
  readonly #socketsAtStart: number | null;

  private constructor(started: Started) {
    this.#process = started.process;
    this.#answers = started.answers;
    this.addresses = started.addresses;
    this.ended = started.process.ended;
    this.#socketsAtStart = countSockets(started.process.pid);
  }

  /**
   * Starts a server and waits until it listens on every address.
   *
   * @throws {Error} If it ends before
   */
  static async start(options: OwnServerOptions): Promise<OwnServer> {
    const answers: PromiseWithResolvers<ChildLine | undefined>[] = [];
    const addresses: Address[] = [];
    const listening = Promise.withResolvers<void>();
    const [program, ...args] = options.command;
    const process = new LineProcess({
      command: [
        program,
        ...args,
        "--json",
        "--quiet",
        "--control",
        ...options.hostnames.flatMap((hostname) => ["--host", hostname]),
        "--port",
        `${options.port ?? 0}`,
        "--ack-timeout",
        `${options.ackTimeout}ms`,
      ],
      ...(options.env ? { env: options.env } : {}),
      onLine: (line) => {
        if (line.event === "listening") {
          addresses.push({ hostname: String(line.host), port: Number(line.port) });
        }
        if (addresses.length === options.hostnames.length) listening.resolve();
        if (line.event === "state") answers.shift()?.resolve(line);
      },
    });
    process.ended.then((end) => {
      listening.reject(new Error(`The server ended before it listened: ${describeEnd(end)}`));
      for (const answer of answers.splice(0)) answer.resolve(undefined);
    }, listening.reject);
    await listening.promise;
    return new OwnServer({ process, answers, addresses });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Its state now: what it says of itself, and its sockets counted from outside; `null` when it is gone. */
  async state(): Promise<ServerState | null> {
    const answer = Promise.withResolvers<ChildLine | undefined>();
    this.#answers.push(answer);
    await this.#process.say("state");
    const line = await Promise.race([answer.promise, this.ended.then(() => undefined)]);
    if (line === undefined) return null;
    const sockets = countSockets(this.pid);
    return {
      connections: Number(line.connections),
      pending: Number(line.pending),
      timers: Number(line.timers),
      queuedBytes: Number(line.queuedBytes),
      descriptors: sockets === null || this.#socketsAtStart === null ? null : sockets - this.#socketsAtStart,
      closed: line.closed as ServerState["closed"],
      stray: Number(line.stray),
      redelivered: Number(line.redelivered),
    };
  }

  /** Asks for its state until nothing is left in it, or `timeout` ms have passed; gives the last one. */
  async untilZero(timeout: number): Promise<ServerState | null> {
    const giveUpAt = performance.now() + timeout;
    while (true) {
      const state = await this.state();
      if (state === null || isZero(state) || performance.now() >= giveUpAt) return state;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  usage(): ProcessUsage {
    return { cpuSeconds: cpuSeconds(this.pid), peakMemory: peakMemory(this.pid) };
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Ends it in order. */
  async stop(): Promise<ChildEnd> {
    this.kill("SIGTERM");
    return await this.ended;
  }
}

interface Started {
  readonly process: LineProcess;
  readonly answers: PromiseWithResolvers<ChildLine | undefined>[];
  readonly addresses: readonly Address[];
}

/** Whether a server holds nothing; what cannot be counted counts as nothing here, and is judged elsewhere. */
function isZero(state: ServerState): boolean {
  const { connections, pending, timers, queuedBytes, descriptors } = state;
  return connections + pending + timers + queuedBytes + (descriptors ?? 0) === 0;
}
