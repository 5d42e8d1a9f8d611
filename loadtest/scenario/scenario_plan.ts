/** The plan of a scenario run. Pure. @module */
import { type HistoryEvent, RULES, SCHEMA } from "../history/events.ts";
import { Plan } from "../plan/plan.ts";
import { countStarts, lengthOf, type LoadShape, type Stage } from "./load_shape.ts";
import type { Scenario } from "./scenario.ts";

/** Options for {@linkcode scenarioPlan}. Durations are in ms. */
export interface ScenarioPlanOptions {
  readonly scenario: Pick<Scenario, "message">;
  readonly load: LoadShape;
  readonly seed: number;
  readonly clients: number;
  readonly window: number;
  /** Default 30 s. */
  readonly timeout?: number | undefined;
  /** Default: window + length of the load + 2 × timeout. */
  readonly deadline?: number | undefined;
}

/** Default timeout of a request. */
const TIMEOUT = 30_000;

/**
 * Makes a plan: of `clients` in the window, or, for a scenario without messages of its own, of sessions at the rate of
 * the load.
 *
 * @throws {RangeError} If the options contradict each other.
 */
export function scenarioPlan(
  { scenario, load, seed, timeout = TIMEOUT, ...options }: ScenarioPlanOptions,
): Plan {
  if (load.stages !== undefined && load.messages !== undefined) {
    throw new RangeError(
      "Cannot use a number of messages with a rate or stages: their duration gives the number",
    );
  }
  if (load.stages !== undefined && load.think !== undefined) {
    throw new RangeError("Cannot use a think time with a rate or stages: they give the instants of messages");
  }
  const stages = scenario.message === undefined ? load.stages : undefined;
  const length = load.stages === undefined ? load.duration ?? 0 : lengthOf(load.stages);
  const window = stages === undefined ? options.window : length;
  return new Plan({
    seed,
    clients: stages === undefined ? options.clients : countStarts(stages),
    window,
    timeout,
    deadline: options.deadline ?? window + (stages === undefined ? length : 0) + 2 * timeout,
    arrival: "uniform",
    replyDelay: { type: "none" },
    payload: { type: "short" },
    ...(stages === undefined ? {} : { stages }),
  });
}

/** The event that begins the history of a scenario run. */
export function scenarioRunEvent(
  { scenario, name, load, plan, maxLag }: {
    readonly scenario: Pick<Scenario, "correlate">;
    /** Its file, as the user wrote it. Default: not a file. */
    readonly name?: string;
    readonly load: LoadShape;
    readonly plan: Plan;
    readonly maxLag: number;
  },
): Extract<HistoryEvent, { event: "run" }> {
  return {
    event: "run",
    schema: SCHEMA,
    seed: plan.options.seed,
    clients: plan.clients,
    protocol: "scenario",
    server: "foreign",
    faults: false,
    maxLag,
    rules: RULES,
    ...(name === undefined ? {} : { scenario: name }),
    ordered: scenario.correlate === undefined,
    warmup: load.warmup ?? 0,
  };
}

/**
 * The stages of a rate, or those that were given; else the duration.
 *
 * @throws {RangeError} If there is a rate without a duration, or stages with a rate or a duration.
 */
export function stagesOf(
  { rate, stages, duration }: {
    readonly rate?: number;
    readonly stages?: readonly Stage[];
    readonly duration?: number;
  },
): Pick<LoadShape, "stages" | "duration"> {
  if (rate !== undefined && stages !== undefined) {
    throw new RangeError("Cannot use a rate and stages: expected one of them");
  }
  if (rate !== undefined) {
    if (duration === undefined) {
      throw new RangeError(
        "Cannot use a rate without a duration: expected both, as in --rate 500/s --duration 10s",
      );
    }
    return { stages: [{ duration, from: rate, to: rate }] };
  }
  if (stages === undefined) return duration === undefined ? {} : { duration };
  if (duration !== undefined) throw new RangeError("Cannot use stages and a duration: stages have their own");
  return { stages };
}
