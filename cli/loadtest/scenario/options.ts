/** Options of `loadtest.ts run SCENARIO.ts`, and the plan that they describe. @module */
import { custom, duration, flag, group, integer } from "../../args/option.ts";
import type { Values } from "../../args/program.ts";
import { UsageError } from "../../terminal/exit.ts";
import type { Plan } from "../../../loadtest/plan/plan.ts";
import {
  formatStages,
  type LoadShape,
  parseRate,
  parseStages,
  RATE_NOTATION,
  STAGES_NOTATION,
} from "../../../loadtest/scenario/load_shape.ts";
import {
  scenarioPlan,
  type ScenarioPlanOptions,
  stagesOf,
} from "../../../loadtest/scenario/scenario_plan.ts";

/** Options for scenarios only. */
export const scenarioOptions = group("Scenario", {
  messages: integer({
    help: "Messages per connection",
    min: 1,
    defaultText: "1, or as many as --duration allows",
  }),
  inFlight: integer({
    help: "Limit of messages without a reply per connection",
    min: 1,
    defaultText: "1, or unlimited with a rate",
  }),
  think: duration({ help: "Pause between two messages of a connection", defaultText: "0" }),
  rate: custom(parseRate, {
    help: "Messages per second on all connections together, or sessions per second",
    accepts: RATE_NOTATION,
    placeholder: "N/s",
    format: (rate) => `${rate}/s`,
    defaultText: "none: a reply makes room for the next message",
  }),
  duration: duration({ help: "Time over which messages start", min: 1, defaultText: "until all are sent" }),
  stages: custom(parseStages, {
    help: "Rates over time, as in 30s:0→500/s, 5m:500/s",
    accepts: STAGES_NOTATION,
    placeholder: "STAGES",
    format: formatStages,
    defaultText: "none",
  }),
  warmup: duration({ help: "Messages due before this are proven, and not measured", defaultText: "0" }),
  pid: integer({
    help: "The target's process, whose sockets are counted",
    min: 1,
    defaultText: "not counted",
  }),
});

/** The option that runs a scenario file without checking its types. */
export const checkOption = group("Scenario", {
  check: flag({ help: "Run without checking the types of the scenario", default: true }),
});

/** Values of {@linkcode scenarioOptions}. */
export type ScenarioValues = Values<typeof scenarioOptions>;

/**
 * Converts the options to a load shape.
 *
 * @throws {UsageError} If they contradict each other.
 */
export function loadOf(
  { messages, inFlight, think, rate, duration, stages, warmup }: ScenarioValues,
): LoadShape {
  const given = {
    ...(rate === undefined ? {} : { rate }),
    ...(stages === undefined ? {} : { stages }),
    ...(duration === undefined ? {} : { duration }),
  };
  return {
    ...(messages === undefined ? {} : { messages }),
    ...(inFlight === undefined ? {} : { inFlight }),
    ...(think === undefined ? {} : { think }),
    ...(warmup === undefined ? {} : { warmup }),
    ...orUsageError(() => stagesOf(given)),
  };
}

/**
 * Creates the plan of a scenario.
 *
 * @throws {UsageError} If the options contradict each other.
 */
export function planScenario(options: ScenarioPlanOptions): Plan {
  return orUsageError(() => scenarioPlan(options));
}

function orUsageError<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof RangeError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}
