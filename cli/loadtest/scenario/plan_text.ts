/** The plan of a scenario run in one line. Pure. @module */
import { formatDuration } from "../../../internal/duration.ts";
import { plural } from "../../../internal/plural.ts";
import {
  countStarts,
  formatStages,
  type LoadShape,
  type Stage,
} from "../../../loadtest/scenario/load_shape.ts";

/** The part of a run that its line describes. */
export interface ScenarioPlanFacts {
  readonly name: string;
  readonly load: LoadShape;
  /** Whether the scenario has a `message`: a rate is one of messages then, otherwise of sessions. */
  readonly byMessage: boolean;
  readonly clients: number;
  /** In ms. */
  readonly window: number;
}

/**
 * Describes what a run will do: how many connections, and how many messages on them, when.
 *
 * @example
 * ```ts
 * import { describeScenarioPlan } from "./plan_text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const load = { stages: [{ duration: 10_000, from: 500, to: 500 }] };
 * assertEquals(
 *   describeScenarioPlan({ name: "echo.ts", load, byMessage: true, clients: 100, window: 2000 }),
 *   "100 connections of echo.ts within 2s, then 500/s for 10s: 5,000 messages (open model)",
 * );
 * ```
 */
export function describeScenarioPlan({ name, load, byMessage, clients, window }: ScenarioPlanFacts): string {
  const { stages, messages, duration, inFlight = 1 } = load;
  const within = formatDuration(window);
  const sessions = plural(clients, "session", { format: formatCount });
  if (stages !== undefined) {
    if (!byMessage) return `${sessions} of ${name} at ${describeStages(stages)} (open model)`;
    const connections = plural(clients, "connection", { format: formatCount });
    const starts = plural(countStarts(stages), "message", { format: formatCount });
    return `${connections} of ${name} within ${within}, then ${
      describeStages(stages)
    }: ${starts} (open model)`;
  }
  if (!byMessage) return `${sessions} of ${name} within ${within}`;
  const each = messages === undefined && duration !== undefined
    ? `each with messages for ${formatDuration(duration)}`
    : `each with ${plural(messages ?? 1, "message", { format: formatCount })}`;
  return `${sessions} of ${name} within ${within}, ${each}, ${inFlight} in flight (closed model)`;
}

function describeStages(stages: readonly Stage[]): string {
  const [{ from, to, duration } = { from: 0, to: 0, duration: 0 }, ...more] = stages;
  if (more.length > 0 || from !== to) return formatStages(stages);
  return `${Number(to.toFixed(3)).toLocaleString("en")}/s for ${formatDuration(duration)}`;
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}
