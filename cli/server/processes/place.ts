/** One of the processes of a server, and those that take its place after it. @module */
import { backOffDelay } from "../../../internal/back_off.ts";
import type { PortShare } from "./port.ts";
import { Worker } from "./worker.ts";

/** Options for {@linkcode Place}. */
export interface PlaceOptions {
  /** The program and arguments of a process, without its share of the port. */
  readonly command: readonly [string, ...string[]];
  /** Opens a share of the port. */
  readonly open: () => PortShare;
  /** Called with each process, right after its start. */
  readonly onStart: (worker: Worker) => void;
  /** Called with each process that takes the place of another, before it accepts. */
  readonly onSuccessor: (worker: Worker) => void;
}

/** A process that served for this long, in ms, was not broken from the start: its next failure counts as the first. */
const STABLE = 10_000;
const BACK_OFF = { first: 200, longest: 10_000, random: Math.random };

/** A share of the port, and the process that accepts on it. */
export class Place {
  readonly #options: PlaceOptions;
  #share: PortShare | undefined;
  #worker: Worker;
  #successor: Worker | undefined;
  #startedAt = 0;
  #failures = 0;

  /** Starts the first process. */
  constructor(options: PlaceOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  /** The process that accepts. */
  get worker(): Worker {
    return this.#worker;
  }

  /** Starts a process that accepts beside the present one, and takes its place when it listens. Rejects if it cannot. */
  async replace(): Promise<void> {
    const successor = this.#start();
    this.#successor = successor;
    this.#options.onSuccessor(successor);
    try {
      await successor.listening();
      this.#worker = successor;
    } finally {
      this.#successor = undefined;
    }
  }

  /** Kills the process that {@linkcode Place.replace} has started, which has not accepted anything. */
  cancelReplacement(): void {
    this.#successor?.kill("SIGKILL");
  }

  /** Starts a process in the place of one that has died. */
  restart(): void {
    this.#worker = this.#start();
    this.#options.onSuccessor(this.#worker);
  }

  /**
   * Counts the death of the process, and returns the time in ms to wait before a restart. After its first death, connections
   * in its queue wait for the next one. If that dies too, they are given up, so that the other processes get new ones.
   */
  failed(): number {
    this.#failures = performance.now() - this.#startedAt > STABLE ? 1 : this.#failures + 1;
    if (this.#failures > 1) this.close();
    return Math.round(backOffDelay(this.#failures, BACK_OFF));
  }

  /** Gives up the share of the port. */
  close(): void {
    this.#share?.close();
    this.#share = undefined;
  }

  #start(): Worker {
    const { command, open, onStart } = this.#options;
    const share = this.#share ??= open();
    this.#startedAt = performance.now();
    const args = ["--json", "--control", ...share.args];
    const worker = share.sharedWith(() => new Worker([...command, ...args]));
    onStart(worker);
    return worker;
  }
}
