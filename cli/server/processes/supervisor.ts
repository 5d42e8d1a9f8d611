/** Several processes that serve as one: started, watched, restarted, drained, and replaced. @module */
import { delay } from "@std/async/delay";
import { backOffDelay } from "../../../internal/back_off.ts";
import { describeEnd } from "../../../loadtest/process/child_process.ts";
import type { Address } from "../../../socket/network.ts";
import { ExitError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import type { RunningService } from "../service_command.ts";
import { combineStates } from "./sum_stats.ts";
import { Worker } from "./worker.ts";

/** Options for {@linkcode Supervisor.start}. */
export interface SupervisorOptions {
  /** Number of processes. */
  readonly processes: number;
  /** The program and arguments of a process, without its port. */
  readonly command: readonly [string, ...string[]];
  /** The port that they share; 0 for a free one. */
  readonly port: number;
  readonly log: Log;
  /** Whether the processes form a cluster, which is complete before the server counts as started. */
  readonly clustered: boolean;
  /** Called when all processes have ended. */
  readonly onEnd?: () => Promise<void>;
}

/** A process that served for this long, in ms, was not broken from the start: its next failure counts as the first. */
const STABLE = 10_000;
/** Time in ms between two looks at the state of all processes. */
const COLLECT_INTERVAL = 1000;
/** How long the processes may take to find each other, in ms, and the time between two looks. */
const FIND_TIMEOUT = 10_000;
const FIND_INTERVAL = 20;
const BACK_OFF = { first: 200, longest: 10_000, random: Math.random };

interface Place {
  worker: Worker;
  failures: number;
  startedAt: number;
}

/** Processes that share a port. A process that dies is replaced; connections of the others are unaffected. */
export class Supervisor implements RunningService {
  readonly addresses: readonly Address[];
  /** Settles when all processes have ended as they were asked to; rejects if one failed to. */
  readonly finished: Promise<void>;
  readonly #options: SupervisorOptions;
  readonly #places: Place[];
  readonly #finished = Promise.withResolvers<void>();
  readonly #restarts = new Set<ReturnType<typeof setTimeout>>();
  #stopping = false;
  #replacing: Promise<void> | undefined;
  #stats: Record<string, unknown> = {};
  #restarted = 0;
  #ended = false;
  readonly #collecting: ReturnType<typeof setInterval>;

  private constructor(options: SupervisorOptions, workers: readonly Worker[], addresses: readonly Address[]) {
    this.#options = options;
    this.addresses = addresses;
    this.finished = this.#finished.promise;
    this.#places = workers.map((worker) => ({ worker, failures: 0, startedAt: performance.now() }));
    for (const place of this.#places) this.#watch(place);
    this.#collecting = setInterval(() => void this.collect(), COLLECT_INTERVAL);
  }

  /**
   * Starts all processes, and waits until they listen.
   *
   * @throws {ExitError} If one of them cannot start. It has printed the reason.
   */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const workers: Worker[] = [];
    try {
      // The first one finds the port that the others share.
      workers.push(startWorker(options, options.port));
      const addresses = await workers[0]!.listening();
      const port = addresses[0]!.port;
      for (let count = 1; count < options.processes; count++) workers.push(startWorker(options, port));
      await Promise.all(workers.map((worker) => worker.listening()));
      if (options.clustered) await allJoined(workers);
      const supervisor = new Supervisor(options, workers, addresses);
      await supervisor.collect();
      return supervisor;
    } catch (cause) {
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(workers.map(({ ended }) => ended));
      await options.onEnd?.();
      throw new ExitError("Cannot start the processes of the server", { cause });
    }
  }

  /** Returns the sum of the states of all processes: as of the last {@linkcode Supervisor.collect}, or a second ago. */
  stats(): object {
    return this.#stats;
  }

  /** Asks all processes for their states. */
  async collect(): Promise<void> {
    const states = await Promise.all(this.#places.map(async ({ worker }) => {
      const state = await worker.state();
      return state && { pid: worker.pid, state };
    }));
    const known = states.filter((state) => state !== undefined);
    if (known.length === 0 || this.#ended) return;
    this.#stats = combineStates(known, { restarts: this.#restarted });
  }

  /** Stops accepting in every process. */
  suspend(): void {
    this.#request("suspend");
  }

  /** Accepts again in every process. */
  resume(): void {
    this.#request("resume");
  }

  /** Replaces the processes one after another: a new one listens before the old one drains. */
  restart(): Promise<void> {
    this.#replacing ??= this.#replaceAll().finally(() => this.#replacing = undefined);
    return this.#replacing;
  }

  /** Drains every process. */
  async shutdown(): Promise<void> {
    await this.#end();
  }

  /** Closes every process: now, if they are draining already. */
  async close(): Promise<void> {
    // The second signal closes at once. Two of a kind might arrive as one.
    if (!this.#stopping) this.#signal("SIGINT");
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#restarts.clear();
    this.#signal("SIGTERM");
    const ends = await Promise.all(this.#places.map(({ worker }) => worker.ended));
    await this.#options.onEnd?.();
    // What a process left behind it has reported itself, by its exit code.
    this.#stats = {};
    this.#ended = true;
    clearInterval(this.#collecting);
    const failed = ends.filter(({ code }) => code !== 0);
    if (failed.length === 0) this.#finished.resolve();
    else {
      const how = failed.map(describeEnd).join(", ");
      this.#finished.reject(
        new ExitError(`${failed.length} of ${ends.length} processes failed to end: ${how}`),
      );
    }
  }

  #signal(signal: Deno.Signal): void {
    for (const { worker } of this.#places) worker.kill(signal);
  }

  #request(line: string): void {
    for (const { worker } of this.#places) void worker.request(line);
  }

  async #replaceAll(): Promise<void> {
    const { log } = this.#options;
    for (const [index, place] of this.#places.entries()) {
      if (this.#stopping) return;
      const old = place.worker;
      const successor = startWorker(this.#options, this.addresses[0]!.port);
      try {
        await successor.listening();
      } catch (error) {
        log.error(`Process ${index + 1} was not replaced: ${error instanceof Error ? error.message : error}`);
        return;
      }
      place.worker = successor;
      place.startedAt = performance.now();
      this.#watch(place);
      // Stopped while the new one started: both have to end.
      if (this.#stopping) successor.kill("SIGTERM");
      old.kill("SIGTERM");
      const end = await old.ended;
      const how = end.code === 0 ? "" : `; the old one ended with ${describeEnd(end)}`;
      log.info(`Process ${index + 1} of ${this.#places.length} replaced (pid ${successor.pid})${how}`);
    }
  }

  #watch(place: Place): void {
    const { worker } = place;
    void worker.ended.then((end) => {
      // Stopped or replaced on purpose.
      if (this.#stopping || place.worker !== worker) return;
      place.failures = performance.now() - place.startedAt > STABLE ? 1 : place.failures + 1;
      const wait = Math.round(backOffDelay(place.failures, BACK_OFF));
      this.#options.log.warn(
        `Process ${this.#places.indexOf(place) + 1} (pid ${worker.pid}) ended with ${describeEnd(end)}: ` +
          `restarting in ${wait} ms`,
      );
      const timer = setTimeout(() => {
        this.#restarts.delete(timer);
        place.worker = startWorker(this.#options, this.addresses[0]!.port);
        this.#restarted++;
        place.startedAt = performance.now();
        this.#watch(place);
      }, wait);
      this.#restarts.add(timer);
    });
  }
}

/** Waits until every process knows all others. */
async function allJoined(workers: readonly Worker[]): Promise<void> {
  const giveUpAt = performance.now() + FIND_TIMEOUT;
  for (;; await delay(FIND_INTERVAL)) {
    const states = await Promise.all(workers.map((worker) => worker.state()));
    if (states.every((state) => Number(state?.nodes) >= workers.length - 1)) return;
    if (performance.now() > giveUpAt) throw new Error("The processes did not find each other");
  }
}

function startWorker({ command }: SupervisorOptions, port: number): Worker {
  const [program, ...args] = command;
  return new Worker([
    program,
    ...args,
    "--reuse-port",
    "--json",
    "--quiet",
    "--control",
    "--port",
    `${port}`,
  ]);
}
