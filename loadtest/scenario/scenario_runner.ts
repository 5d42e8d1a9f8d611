/** The scenario clients of one process. @module */
import type { Clock } from "../../internal/clock.ts";
import type { Address, Network } from "../../socket/network.ts";
import type { Pace } from "../pace/pace.ts";
import type { Plan } from "../plan/plan.ts";
import { randomStream } from "../plan/seeded_random.ts";
import { assignRows, type DataRow } from "./data_rows.ts";
import type { ScenarioEvent, ShapeEvent, ThrewEvent } from "./events.ts";
import { drawInstants, type LoadShape } from "./load_shape.ts";
import { MessageSchedule } from "./message_schedule.ts";
import { type Scenario, toMs } from "./scenario.ts";
import { SessionClient, type SessionObserver } from "./session/client.ts";
import { SessionHub } from "./session/hub.ts";

/** A scenario that is ready to run. */
export interface PreparedScenario {
  readonly scenario: Scenario;
  /** URL of its file. Default: it was not loaded from a file. */
  readonly file?: string;
  /** The result of `setup`. */
  readonly shared: unknown;
  /** Default: none. */
  readonly rows?: { readonly rows: readonly DataRow[]; readonly reuse: boolean };
  readonly load: LoadShape;
}

/** Options for {@linkcode ScenarioRunner}. */
export interface ScenarioRunnerOptions {
  readonly prepared: PreparedScenario;
  readonly plan: Plan;
  readonly part: number;
  readonly parts: number;
  readonly clock: Clock;
  readonly begin: number;
  readonly pace: Pace;
  /** The lag limit, in ms. */
  readonly maxLag: number;
  readonly record: (event: ScenarioEvent | ShapeEvent | ThrewEvent) => void;
  readonly onAnswered: (ms: number, count: number) => void;
}

const NO_ROW: DataRow = {};

/** Makes clients, and starts their messages where there is a schedule. */
export class ScenarioRunner {
  readonly #options: ScenarioRunnerOptions;
  readonly #hub: SessionHub<unknown>;
  readonly #rowOf: (client: number) => DataRow;
  readonly #timeout: number;
  readonly #schedule: MessageSchedule | undefined;

  constructor(options: ScenarioRunnerOptions) {
    this.#options = options;
    const { prepared, plan, part, parts, clock, begin, pace } = options;
    const { scenario, rows, load } = prepared;
    const { seed, window } = plan.options;
    this.#hub = new SessionHub(clock, begin);
    this.#timeout = scenario.timeout === undefined ? plan.timeout : toMs(scenario.timeout);
    this.#rowOf = rows === undefined
      ? () => NO_ROW
      : assignRows(rows.rows, { clients: plan.clients, seed, reuse: rows.reuse });
    if (load.stages !== undefined && scenario.message !== undefined) {
      // They begin when all connections are planned to be open.
      const instants = drawInstants(load.stages, { random: randomStream(seed, "message") }).map((at) =>
        window + at
      );
      this.#schedule = new MessageSchedule({
        instants,
        clients: plan.clients,
        part,
        parts,
        clock,
        begin,
        pace,
      });
    }
  }

  /** Makes a client. */
  client(
    index: number,
    { due, target, network, observer }: {
      /** When it was due, in ms from the start of the run. */
      readonly due: number;
      readonly target: Address;
      readonly network: Network;
      readonly observer: SessionObserver;
    },
  ): SessionClient {
    const { prepared, plan, clock, pace, maxLag, record, onAnswered } = this.#options;
    const { seed } = plan.options;
    const schedule = this.#schedule;
    const client = new SessionClient({
      client: index,
      scenario: prepared.scenario,
      file: prepared.file,
      shared: prepared.shared,
      seed,
      random: randomStream(seed, "session", { index }),
      row: this.#rowOf(index),
      hub: this.#hub,
      ...target,
      network,
      clock,
      timeout: this.#timeout,
      due,
      pace,
      load: prepared.load,
      scheduled: schedule?.countFor(index),
      observer,
      record,
      onAnswered,
      maxLag,
      onHeldBack: () => schedule?.heldBack(),
    });
    if (client.messages !== undefined) schedule?.add(index, client.messages);
    return client;
  }

  /** Starts the messages of the schedule that are due, if there is one, and waits for the next. */
  start(): void {
    this.#schedule?.start();
  }

  /** Ends the schedule, and records how it went. */
  stop(): void {
    const event = this.#schedule?.stop();
    if (event !== undefined) this.#options.record(event);
  }
}
