/** Several processes that serve as one: started, watched, restarted, drained, and replaced. @module */
import { delay } from "@std/async/delay";
import type { Clock, Timer } from "../../../internal/clock.ts";
import { describeEnd } from "../../../loadtest/process/child_process.ts";
import { DRAIN_TIMEOUT } from "../../../socket/connection/settings.ts";
import type { Address } from "../../../socket/network.ts";
import { systemClock } from "../../../socket/tcp.ts";
import { ExitError } from "../../terminal/exit.ts";
import type { Log } from "../../terminal/log.ts";
import type { RunningService } from "../service_command.ts";
import { Changes } from "./changes.ts";
import { Crew } from "./crew.ts";
import { Place } from "./place.ts";
import type { SharedPort } from "./port.ts";
import { ProcessMonitors } from "./process_monitors.ts";
import type { Worker } from "./worker.ts";

/** Options for {@linkcode Supervisor.start}. */
export interface SupervisorOptions {
  /** Number of processes. */
  readonly processes: number;
  /** The program and arguments of a process, without its share of the port. */
  readonly command: readonly [string, ...string[]];
  readonly port: SharedPort;
  readonly log: Log;
  /** Whether the processes form a cluster, which must be complete before the server has started. */
  readonly clustered: boolean;
  /** Names of the backends that can be drained. Default: the service cannot choose between backends. */
  readonly backends?: readonly string[];
  /** Longest time in ms for which a process drains. Default 10,000. */
  readonly drainTimeout?: number;
  /** Time in ms after which a process that has neither drained nor closed hangs, and is killed. Default 5,000. */
  readonly grace?: number;
  /** Called when all processes have ended. */
  readonly onEnd?: () => Promise<void>;
  /** Measures the time before a restart. Default: the system's. */
  readonly clock?: Clock;
}

/** Time in ms between two reads of the state of all processes. */
const COLLECT_INTERVAL = 1000;
/** Longest time in ms until the processes have found each other, and the time between two checks. */
const FIND_TIMEOUT = 10_000;
const FIND_INTERVAL = 20;

/** Default of `grace`, in ms. */
const GRACE = 5000;

/** Processes that share a port. A process that dies is replaced; connections of the others are unaffected. */
export class Supervisor implements RunningService {
  /** Settles when all processes have ended; rejects if one failed to end cleanly. */
  readonly finished: Promise<void>;
  readonly processes: ProcessMonitors;
  readonly drainBackend?: (name: string) => Promise<void>;
  readonly restoreBackend?: (name: string) => Promise<void>;
  readonly #options: SupervisorOptions;
  readonly #places: readonly Place[];
  readonly #crew: Crew;
  readonly #finished = Promise.withResolvers<void>();
  readonly #restarts = new Map<Place, Timer>();
  #drainTimeout: number;
  readonly #grace: number;
  #ending: Promise<void> | undefined;
  #replacing: Promise<void> | undefined;
  /** The place whose successor starts at present: its process is not restarted. */
  #succeeding: Place | undefined;
  readonly #changes: Changes;
  #stats: Record<string, unknown> = {};
  #reading: Promise<void> | undefined;
  #nextReading: Promise<void> | undefined;
  #restarted = 0;
  readonly #collecting: ReturnType<typeof setInterval>;

  private constructor(options: SupervisorOptions, { places, crew, changes }: Started) {
    this.#options = options;
    this.#changes = changes;
    this.#drainTimeout = options.drainTimeout ?? DRAIN_TIMEOUT;
    this.#grace = options.grace ?? GRACE;
    this.finished = this.#finished.promise;
    this.#places = places;
    this.#crew = crew;
    this.processes = new ProcessMonitors(crew);
    for (const place of places) this.#watch(place);
    const { backends = [] } = options;
    if (backends.length > 0) {
      this.drainBackend = (name) => this.#drain(known(name, backends));
      this.restoreBackend = (name) => this.#restore(known(name, backends));
    }
    this.#collecting = setInterval(() => void this.collect(), COLLECT_INTERVAL);
  }

  /**
   * Starts all processes, and waits until they listen.
   *
   * @throws {ExitError} If one of them cannot start. One that has started has printed the reason.
   */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const { processes, command, port, clustered, onEnd } = options;
    const places: Place[] = [];
    const workers = (): Worker[] => places.map(({ worker }) => worker);
    const crew = new Crew(processes);
    const changes = new Changes();
    const onStart = (worker: Worker) => crew.add(worker);
    const onSuccessor = (worker: Worker) => changes.repeat(worker);
    try {
      for (let count = 0; count < processes; count++) {
        places.push(new Place({ command, open: () => port.open(), onStart, onSuccessor }));
      }
      await Promise.all(workers().map((worker) => worker.listening()));
      if (clustered) await allJoined(workers());
      const supervisor = new Supervisor(options, { places, crew, changes });
      await supervisor.collect();
      return supervisor;
    } catch (cause) {
      for (const worker of workers()) worker.kill("SIGKILL");
      await Promise.all(workers().map(({ ended }) => ended));
      for (const place of places) place.close();
      port.close();
      await onEnd?.();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ExitError(`Cannot start the processes: ${why}`, { cause });
    }
  }

  /** The addresses that all processes accept on. */
  get addresses(): readonly Address[] {
    return this.#options.port.addresses;
  }

  /**
   * Returns the sum of the states of all processes, those included that drain, and of the counts of those that have ended: as of
   * the last {@linkcode Supervisor.collect}, or a second ago.
   */
  stats(): object {
    return this.#stats;
  }

  /** Asks all processes for their states. Resolves when {@linkcode Supervisor.stats} is not older than this call. */
  async collect(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => this.#reading = undefined);
      return await this.#reading;
    }
    // The answers to the questions of before may be older. All calls of now share the next ones.
    this.#nextReading ??= this.#reading.finally(() => this.#nextReading = undefined).then(() =>
      this.collect()
    );
    await this.#nextReading;
  }

  async #read(): Promise<void> {
    this.#stats = await this.#crew.state(() => this.#restarted);
    await this.processes.collect();
  }

  /** Changes limits in every process, also in those that are started later. Resolves when all have changed them. */
  async setLimits(
    _limits: object,
    { drain = this.#drainTimeout }: { readonly drain?: number },
    changes: URLSearchParams,
  ): Promise<void> {
    this.#drainTimeout = drain;
    for (const [name, value] of changes) this.#changes.limits.set(name, value);
    await this.#request(`limits ${changes}`);
  }

  async #drain(name: string): Promise<void> {
    this.#changes.drained.add(name);
    await this.#request(`drain ${name}`);
  }

  async #restore(name: string): Promise<void> {
    this.#changes.drained.delete(name);
    await this.#request(`undrain ${name}`);
  }

  /** Stops accepting in every process, also in those that are started later. Resolves when all have stopped. */
  async suspend(): Promise<void> {
    this.#changes.suspended = true;
    await this.#request("suspend");
  }

  /** Accepts again in every process. Resolves when all accept. */
  async resume(): Promise<void> {
    this.#changes.suspended = false;
    await this.#request("resume");
  }

  /** Replaces the processes one after another: a new one listens before the old one drains. */
  restart(): Promise<void> {
    this.#replacing ??= this.#replaceAll().finally(() => this.#replacing = undefined);
    return this.#replacing;
  }

  /** Drains every process. One that hangs is killed. */
  async shutdown(): Promise<void> {
    // Others drain already, or have not accepted anything.
    await this.#end(this.#places.map(({ worker }) => worker), this.#drainTimeout + this.#grace);
  }

  /** Closes every process, immediately if it is already draining. One that hangs is killed. */
  async close(): Promise<void> {
    const workers = this.#crew.members.map(({ worker }) => worker);
    // The second signal closes immediately. Two of the same kind might arrive as one.
    if (!this.#stopping) { for (const worker of workers) worker.kill("SIGINT"); }
    await this.#end(workers, this.#grace);
  }

  get #stopping(): boolean {
    return this.#ending !== undefined;
  }

  async #end(workers: readonly Worker[], grace: number): Promise<void> {
    for (const worker of workers) worker.terminate(grace);
    await (this.#ending ??= this.#whenEnded());
  }

  async #whenEnded(): Promise<void> {
    for (const timer of this.#restarts.values()) timer.cancel();
    this.#restarts.clear();
    // Otherwise, new connections would wait for processes that do not come.
    for (const place of this.#places) place.close();
    this.#options.port.close();
    for (const place of this.#places) place.cancelReplacement();
    await this.#replacing;
    const workers = this.#places.map(({ worker }) => worker);
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    await this.#options.onEnd?.();
    clearInterval(this.#collecting);
    await this.collect();
    const failed = workers.flatMap(({ killed }, index) => {
      const end = ends[index]!;
      return end.code === 0 ? [] : [killed ? "hung, and was killed" : describeEnd(end)];
    });
    if (failed.length === 0) this.#finished.resolve();
    else {
      this.#finished.reject(
        new ExitError(`${failed.length} of ${ends.length} processes failed to end: ${failed.join(", ")}`),
      );
    }
  }

  /** Sends a line to all processes. When they have answered, `stats()` and readiness show what it has changed. */
  async #request(line: string): Promise<void> {
    await Promise.all(this.#crew.members.map(({ worker }) => worker.request(line)));
    await this.collect();
  }

  async #replaceAll(): Promise<void> {
    const { log } = this.#options;
    for (const [index, place] of this.#places.entries()) {
      if (this.#stopping) return;
      const old = place.worker;
      let dead = this.#cancelRestart(place);
      void old.ended.then(() => dead = true);
      this.#succeeding = place;
      try {
        await place.replace();
      } catch (error) {
        if (this.#stopping) return;
        log.error(`Process ${index + 1} was not replaced: ${error instanceof Error ? error.message : error}`);
        if (dead) this.#restartLater(place, place.failed());
        return;
      } finally {
        this.#succeeding = undefined;
      }
      this.#watch(place);
      // Stopped while the new one started: both have to end.
      if (this.#stopping) place.worker.terminate(this.#drainTimeout + this.#grace);
      old.terminate(this.#drainTimeout + this.#grace);
      const end = await old.ended;
      const how = end.code === 0
        ? ""
        : old.killed
        ? "; the old one hung, and was killed"
        : `; the old one ended with ${describeEnd(end)}`;
      log.info(`Process ${index + 1} of ${this.#places.length} replaced (pid ${place.worker.pid})${how}`);
    }
  }

  #watch(place: Place): void {
    const { worker } = place;
    void worker.ended.then((end) => {
      // Stopped or replaced on purpose.
      if (this.#stopping || place.worker !== worker || place === this.#succeeding) return;
      const wait = place.failed();
      this.#options.log.warn(
        `Process ${this.#places.indexOf(place) + 1} (pid ${worker.pid}) ended with ${describeEnd(end)}: ` +
          `restarting in ${wait} ms`,
      );
      this.#restartLater(place, wait);
    });
  }

  #restartLater(place: Place, wait: number): void {
    const restart = () => {
      this.#restarts.delete(place);
      place.restart();
      this.#restarted++;
      this.#watch(place);
    };
    const { clock = systemClock } = this.#options;
    this.#restarts.set(place, clock.after(wait, restart));
  }

  /** Returns whether the process of a place was going to be restarted. */
  #cancelRestart(place: Place): boolean {
    this.#restarts.get(place)?.cancel();
    return this.#restarts.delete(place);
  }
}

/** The processes of a new server. */
interface Started {
  readonly places: readonly Place[];
  readonly crew: Crew;
  readonly changes: Changes;
}

/** @throws {RangeError} If no backend has this name. */
function known(name: string, backends: readonly string[]): string {
  if (backends.includes(name)) return name;
  throw new RangeError(`Cannot find backend ${name}: expected one of ${backends.join(", ")}`);
}

/** Waits until every process knows all others. */
async function allJoined(workers: readonly Worker[]): Promise<void> {
  const giveUpAt = performance.now() + FIND_TIMEOUT;
  for (;; await delay(FIND_INTERVAL)) {
    const states = await Promise.all(workers.map((worker) => worker.state()));
    if (states.every((state) => Number(state?.nodes) >= workers.length - 1)) return;
    if (performance.now() > giveUpAt) throw new Error("they did not find each other");
  }
}
