/** What runs the clients of a plan and keeps their ledger: in this process, or spread over several. @module */
import process from "node:process";
import type { Address, Clock, Network, Random } from "../socket/network.ts";
import { Fleet, type FleetProgress } from "./fleet.ts";
import type { HistoryEvent, RunEvent } from "./history.ts";
import { Ledger } from "./ledger.ts";
import type { Plan } from "./plan.ts";

/** What every generator is told. */
export interface GeneratorRun {
  readonly run: RunEvent;
  readonly plan: Plan;
  readonly targets: readonly Address[];
}

/** Runs all clients of a plan. */
export interface Generator {
  /** When the run began, on the clock of whoever drives it, ms. */
  readonly begin: number;
  readonly progress: FleetProgress;
  /** Runs every client to its end; once only. Never rejects for a client's sake. */
  run(): Promise<void>;
  /** Stops the clients that are not done. */
  stop(): void;
  /** The ledger of all clients, once `run` has settled. */
  ledger(): Ledger;
  /** Processor time used for it, in seconds, once `run` has settled. */
  cpuSeconds(): number;
}

/** Processor time that this process has used, in seconds. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the generator of this process needs. */
export interface LocalGeneratorOptions extends GeneratorRun {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** Gets every event, as it happens, after it has been booked. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** Runs all clients in this process. */
export class LocalGenerator implements Generator {
  readonly begin: number;
  readonly #ledger: Ledger;
  readonly #fleet: Fleet;
  readonly #cpuAtStart = ownCpuSeconds();

  constructor(options: LocalGeneratorOptions) {
    const { run, onEvent } = options;
    const ledger = this.#ledger = new Ledger(run);
    this.begin = options.clock.now();
    this.#fleet = new Fleet({
      ...options,
      begin: this.begin,
      record: onEvent === undefined ? (event) => ledger.record(event) : (event) => {
        ledger.record(event);
        onEvent(event);
      },
    });
  }

  get progress(): FleetProgress {
    return this.#fleet.progress;
  }

  run(): Promise<void> {
    return this.#fleet.run();
  }

  stop(): void {
    this.#fleet.stop();
  }

  ledger(): Ledger {
    return this.#ledger;
  }

  cpuSeconds(): number {
    return ownCpuSeconds() - this.#cpuAtStart;
  }
}
