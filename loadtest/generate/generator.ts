/** What runs the clients of a plan and keeps their ledger: in this process, or spread over several. @module */
import process from "node:process";
import type { Address, Network } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import type { FaultSpec } from "../plan/fault_spec.ts";
import type { PreparedScenario } from "../scenario/scenario_runner.ts";
import { Fleet, type FleetProgress } from "./fleet.ts";
import type { HistoryEvent, RunEvent } from "../history/events.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { Plan } from "../plan/plan.ts";
import { usageOf } from "../process/process_usage.ts";
import { NO_USAGE, type ProcessUsage, usageSince } from "../process/process_usage.ts";

/** What every generator is told. */
export interface GeneratorRun {
  readonly run: RunEvent;
  readonly plan: Plan;
  readonly targets: readonly Address[];
  /** Faults to inject. Default: none. */
  readonly faults?: FaultSpec;
  /** How the clients speak TLS. Default: not at all. */
  readonly tls?: TlsClientOptions;
  /** What the clients of a relay show it first. Default: nothing. */
  readonly token?: string;
  /** The scenario of the clients, if the protocol is `scenario`. */
  readonly scenario?: PreparedScenario;
}

/** Runs all clients of a plan. */
export interface Generator {
  /** When the run begins, on the clock of whoever drives it, ms; known once `run` has been called. */
  readonly begin: number;
  readonly progress: FleetProgress;
  /** Runs every client to its end; once only. Never rejects for a client's sake. */
  run(): Promise<void>;
  /** Stops the clients that are not done. */
  stop(): void;
  /** The ledger of all clients, once `run` has settled. */
  ledger(): Ledger;
  /** What it took, in all its processes, once `run` has settled. */
  usage(): ProcessUsage;
}

/** A fleet that has not begun. */
export const NO_PROGRESS: FleetProgress = {
  started: 0,
  acknowledged: 0,
  open: 0,
  resent: 0,
  finished: 0,
  latency: new LatencyHistogram().encode(),
};

/** What this process has used so far. */
export function ownUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, peakMemory: usageOf(Deno.pid).peakMemory };
}

/** What the generator of this process needs. */
export interface LocalGeneratorOptions extends Omit<GeneratorRun, "tls"> {
  readonly network: Network;
  /** What the clients dial by, with TLS where they speak it. Default: `network`. */
  readonly clientNetwork?: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** Gets every event, as it happens, after it has been booked. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** Runs all clients in this process. */
export class LocalGenerator implements Generator {
  begin = NaN;
  readonly #options: LocalGeneratorOptions;
  readonly #ledger: Ledger;
  #fleet: Fleet | undefined;
  #stopped = false;
  #usage = NO_USAGE;

  constructor(options: LocalGeneratorOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.run);
  }

  get progress(): FleetProgress {
    return this.#fleet?.progress ?? NO_PROGRESS;
  }

  async run(): Promise<void> {
    const before = ownUsage();
    const { clock, onEvent } = this.#options;
    this.begin = clock.now();
    this.#fleet = new Fleet({
      ...this.#options,
      begin: this.begin,
      record: (event) => {
        this.#ledger.record(event);
        onEvent?.(event);
      },
    });
    if (this.#stopped) this.#fleet.stop();
    await this.#fleet.run();
    this.#usage = usageSince(before, ownUsage());
  }

  stop(): void {
    this.#stopped = true;
    this.#fleet?.stop();
  }

  ledger(): Ledger {
    return this.#ledger;
  }

  usage(): ProcessUsage {
    return this.#usage;
  }
}
