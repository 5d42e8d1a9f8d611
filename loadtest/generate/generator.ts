/** Generators run the clients of a plan and keep their ledger, in this process or in several. @module */
import process from "node:process";
import type { Address, Network } from "../../socket/network.ts";
import type { Clock, Random } from "../../internal/clock.ts";
import type { TlsClientOptions } from "../../tls/mod.ts";
import type { FaultSpec } from "../plan/fault_spec.ts";
import type { PreparedScenario } from "../scenario/scenario_runner.ts";
import { Fleet } from "./fleet.ts";
import type { FleetProgress } from "./fleet_progress.ts";
import type { HistoryEvent, RunEvent } from "../history/events.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { type EncodedHistograms, LiveHistograms } from "../metrics/live_histograms.ts";
import { Ledger } from "../ledger/ledger.ts";
import type { PaceSetting } from "../pace/pace.ts";
import type { Plan } from "../plan/plan.ts";
import { noTrouble, type Trouble, troubleOf } from "../judge/trouble.ts";
import { usageOf } from "../process/process_usage.ts";
import type { ThreadLoadMeter } from "../process/thread_load.ts";
import { NO_USAGE, type ProcessUsage, usageSince } from "../process/process_usage.ts";

/** Options of every generator. */
export interface GeneratorRun {
  readonly run: RunEvent;
  readonly plan: Plan;
  readonly targets: readonly Address[];
  /** Faults to inject. Default: none. */
  readonly faults?: FaultSpec;
  /** TLS options of the clients. Default: no TLS. */
  readonly tls?: TlsClientOptions;
  /** The token that relay clients send first. Default: none. */
  readonly token?: string;
  /** The scenario of the clients, if the protocol is `scenario`. */
  readonly scenario?: PreparedScenario;
  /** Histograms to report while the run goes on; see {@linkcode LiveHistograms}. Default: none. */
  readonly watched?: readonly string[];
}

/** The progress of a generator. */
export interface GeneratorProgress extends FleetProgress {
  readonly trouble: Trouble;
  /** The histograms that `watched` names. */
  readonly histograms: EncodedHistograms;
}

/** Runs all clients of a plan. */
export interface Generator {
  /** The event that begins the history. */
  readonly runEvent: RunEvent;
  /** When the run begins, on the clock of this process, in ms; NaN before `run`. */
  readonly begin: number;
  readonly progress: GeneratorProgress;
  /** Runs every client to its end; once only. Never rejects because of a client. */
  run(): Promise<void>;
  /** Stops the clients that have not finished. */
  stop(): void;
  /** Changes the pace from now on, once `run` was called. */
  setPace(setting: PaceSetting): void;
  /** Returns the ledger of all clients, once `run` has settled. */
  ledger(): Ledger;
  /** Returns the usage of all its processes, once `run` has settled. */
  usage(): ProcessUsage;
}

/** The progress of a generator that has not started. */
export const NO_PROGRESS: GeneratorProgress = {
  started: 0,
  connected: 0,
  acknowledged: 0,
  open: 0,
  resent: 0,
  finished: 0,
  lag: 0,
  trouble: noTrouble(),
  histograms: {},
  latency: new LatencyHistogram().encode(),
};

/** Returns what this process has used so far. */
export function ownUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return { ...usageOf(Deno.pid), cpuSeconds: (user + system) / 1e6 };
}

/** Options for {@linkcode LocalGenerator}. */
export interface LocalGeneratorOptions extends Omit<GeneratorRun, "tls"> {
  readonly network: Network;
  /** The network of the clients, such as one with TLS. Default: `network`. */
  readonly clientNetwork?: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** Measures what this process does. Default: not measured, as with a virtual clock. */
  readonly meter?: Pick<ThreadLoadMeter, "take">;
  /** Receives every event after it has been recorded. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** Runs all clients in this process. */
export class LocalGenerator implements Generator {
  begin = NaN;
  readonly #options: LocalGeneratorOptions;
  readonly #ledger: Ledger;
  readonly #live: LiveHistograms;
  #fleet: Fleet | undefined;
  #stopped = false;
  #usage = NO_USAGE;

  constructor(options: LocalGeneratorOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.run);
    this.#live = new LiveHistograms(options.watched ?? [], options.run);
  }

  get runEvent(): RunEvent {
    return this.#options.run;
  }

  get progress(): GeneratorProgress {
    if (this.#fleet === undefined) return NO_PROGRESS;
    return {
      ...this.#fleet.progress,
      trouble: troubleOf(this.#ledger),
      histograms: this.#live.encode(),
    };
  }

  async run(): Promise<void> {
    const before = ownUsage();
    const { clock, onEvent } = this.#options;
    this.begin = clock.now();
    this.#fleet = new Fleet({
      ...this.#options,
      begin: this.begin,
      clientRecord: onEvent === undefined && !this.#live.records ? this.#ledger.clientFacts : undefined,
      record: (event) => {
        this.#ledger.record(event);
        this.#live.record(event);
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

  setPace(setting: PaceSetting): void {
    this.#fleet?.setPace(setting);
  }

  ledger(): Ledger {
    return this.#ledger;
  }

  usage(): ProcessUsage {
    return this.#usage;
  }
}
