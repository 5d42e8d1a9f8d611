/** The server of a load test in its own process: asked for its state, and its sockets counted from outside. @module */
import { formatDuration } from "../../internal/duration.ts";
import type { Address } from "../../socket/network.ts";
import type { ServerProcessState, ServerState } from "../history/events.ts";
import { type ChildEnd, type ChildMessage, ChildProcess, describeEnd } from "./child_process.ts";
import { addUsage, type ProcessUsage, usageOf } from "./process_usage.ts";
import { SocketCount } from "./socket_count.ts";

/** Options for {@linkcode SpawnedServer.start}. */
export interface SpawnedServerOptions {
  /** The program and its arguments; it must accept `--json --quiet --control --host H --port N`. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly hostnames: readonly string[];
  /** Port. Default 0: a free one. */
  readonly port?: number;
  /** Number of processes that share the port. Default 1. */
  readonly processes?: number;
  /** Time in ms that it may take to end before {@linkcode SpawnedServer.stop} kills it. Default 15,000. */
  readonly grace?: number;
}

const POLL_MS = 50;
/** A server that does not answer within this time, in ms, hangs. */
const ANSWER_MS = 5000;
/** Time in ms for it to end before it is killed: more than it may take to drain, so that only a server that hangs is killed. */
const GRACE_MS = 15_000;

/** A server process. */
export class SpawnedServer {
  readonly addresses: readonly Address[];
  /** Resolves when the process has ended. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;
  readonly #answers: PromiseWithResolvers<ChildMessage | undefined>[];
  /** Processes that share its work, as it reported them last; empty if it is one process. */
  #workers: readonly number[] = [];
  #sockets: SocketCount;
  readonly #grace: number;

  private constructor(started: Started, { grace = GRACE_MS }: SpawnedServerOptions) {
    this.#grace = grace;
    this.#process = started.process;
    this.#answers = started.answers;
    this.addresses = started.addresses;
    this.ended = started.process.ended;
    this.#sockets = new SocketCount([started.process.pid]);
  }

  /**
   * Starts a server, and waits until it listens on every address.
   *
   * @throws {Error} If it ends before that
   */
  static async start(options: SpawnedServerOptions): Promise<SpawnedServer> {
    const answers: PromiseWithResolvers<ChildMessage | undefined>[] = [];
    const addresses: Address[] = [];
    const listening = Promise.withResolvers<void>();
    const [program, ...args] = options.command;
    const process = new ChildProcess({
      command: [
        program,
        ...args,
        "--json",
        "--quiet",
        "--control",
        ...options.hostnames.flatMap((hostname) => ["--host", hostname]),
        "--port",
        `${options.port ?? 0}`,
        ...(options.processes === undefined || options.processes === 1
          ? []
          : ["--processes", `${options.processes}`]),
      ],
      ...(options.env ? { env: options.env } : {}),
      onMessage: (line) => {
        if (line.event === "listening") {
          addresses.push({ hostname: String(line.host), port: Number(line.port) });
        }
        if (addresses.length === options.hostnames.length) listening.resolve();
        if (line.event === "state") answers.shift()?.resolve(line);
      },
    });
    process.ended.then((end) => {
      listening.reject(
        new Error(`Cannot start the server: it ended before it listened, ${describeEnd(end)}`),
      );
      for (const answer of answers.splice(0)) answer.resolve(undefined);
    }, listening.reject);
    await listening.promise;
    const server = new SpawnedServer({ process, answers, addresses }, options);
    if (options.processes !== undefined && options.processes > 1) await server.#findWorkers();
    return server;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Returns its state, and its sockets counted from outside; `null` if it, or one of its processes, has ended or hangs. */
  async state(): Promise<ServerState | null> {
    const line = await this.report();
    if (line === undefined || Number(line.unanswered ?? 0) > 0) return null;
    const processes = processesOf(line);
    if (processes !== undefined) this.#workers = processes.map(({ pid }) => pid);
    return {
      connections: Number(line.connections),
      pending: Number(line.pending ?? 0), // Only a relay has these.
      timers: Number(line.timers ?? 0),
      queuedBytes: Number(line.queuedBytes),
      descriptors: this.#sockets.opened(this.#pids),
      closed: line.closed as ServerState["closed"],
      ...(line.stray === undefined ? {} : { stray: Number(line.stray) }),
      ...(line.redelivered === undefined ? {} : { redelivered: Number(line.redelivered) }),
      ...(processes === undefined ? {} : { processes, restarts: Number(line.restarts) }),
    };
  }

  /** Asks for its state until it holds nothing or `timeout` ms have passed. Returns the last state. */
  async untilZero(timeout: number): Promise<ServerState | null> {
    const giveUpAt = performance.now() + timeout;
    while (true) {
      const state = await this.state();
      if (state === null || isZero(state) || performance.now() >= giveUpAt) return state;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Returns what it has used so far. */
  usage(): ProcessUsage {
    return this.#pids.map(usageOf).reduce(addUsage);
  }

  get #pids(): readonly number[] {
    return [this.pid, ...this.#workers];
  }

  /** Asks which processes share its work: what it uses, and its sockets, are theirs. */
  async #findWorkers(): Promise<void> {
    await this.state();
    this.#sockets = new SocketCount(this.#pids);
  }

  /** Returns its state as it reports it itself; `undefined` if it has ended or hangs. */
  async report(): Promise<ChildMessage | undefined> {
    const answer = Promise.withResolvers<ChildMessage | undefined>();
    this.#answers.push(answer);
    const giveUp = setTimeout(() => answer.resolve(undefined), ANSWER_MS);
    await this.#process.send("state");
    const line = await Promise.race([answer.promise, this.ended.then(() => undefined)]);
    clearTimeout(giveUp);
    return line;
  }

  /** Lets a server of this program drain, for as long as its own drain timeout allows. */
  drain(): void {
    this.#process.endInput();
  }

  /** Ends it, gracefully if possible; see {@linkcode SpawnedServer.hung}. */
  async stop(): Promise<ChildEnd> {
    // A server of this program ignores signals and ends with its input. Any other needs the signal.
    this.#process.endInput();
    this.#process.terminate(this.#grace);
    return await this.ended;
  }

  /**
   * Describes that {@linkcode SpawnedServer.stop} had to kill it; `undefined` if it ended by itself, or something else killed
   * it.
   */
  get hung(): string | undefined {
    return this.#process.killed ? `did not end within ${formatDuration(this.#grace)}` : undefined;
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly answers: PromiseWithResolvers<ChildMessage | undefined>[];
  readonly addresses: readonly Address[];
}

/** Returns the processes in the state of a server, if there are several. */
function processesOf({ workers }: ChildMessage): ServerProcessState[] | undefined {
  if (!Array.isArray(workers)) return undefined;
  return workers.map(({ pid, accepted, messages }) => ({
    pid,
    accepted,
    ...(messages === undefined ? {} : { messages }),
  }));
}

/** Whether a server holds nothing. What cannot be counted counts as 0 here; the judge decides about it. */
function isZero(state: ServerState): boolean {
  const { connections, pending, timers, queuedBytes, descriptors } = state;
  return [connections, pending, timers, queuedBytes, descriptors].every((left) => (left ?? 0) === 0);
}
