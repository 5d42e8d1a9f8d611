/** A complete load test in memory, with virtual time. */
import type { FaultSpec } from "../../../loadtest/plan/fault_spec.ts";
import { LocalGenerator } from "../../../loadtest/generate/generator.ts";
import type { HistoryEvent, RunEvent, ServerState } from "../../../loadtest/history/events.ts";
import { Plan, type PlanOptions } from "../../../loadtest/plan/plan.ts";
import type { RunControl } from "../../../loadtest/pace/run_control.ts";
import { parseReplyDelay } from "../../../loadtest/plan/reply_delay.ts";
import { runPlan, type RunProgress, type RunResult } from "../../../loadtest/run_plan.ts";
import type { Address } from "../../../socket/mod.ts";
import type { Simulation } from "./simulation.ts";

/** Default number of clients of a simulated run. */
export const CLIENTS = 600;

/** The result of a simulated run, and its events. */
export interface Run extends RunResult {
  readonly history: readonly HistoryEvent[];
}

/** Runs a plan against an in-memory server, and reads `finalState` at the end. */
export async function simulate(
  world: Simulation,
  options: {
    targets: readonly Address[];
    finalState: () => ServerState;
    plan?: Partial<PlanOptions>;
    died?: Promise<string>;
    end?: () => Promise<string | undefined>;
    signal?: AbortSignal;
    protocol?: RunEvent["protocol"];
    faults?: FaultSpec;
    control?: RunControl;
    onProgress?: (progress: RunProgress) => void;
    giveUpAfter?: number;
  },
): Promise<Run> {
  const plan = new Plan({
    seed: 7,
    clients: CLIENTS,
    window: 2000,
    arrival: "uniform",
    replyDelay: parseReplyDelay("uniform:0s-1s"),
    payload: { type: "mixed" },
    timeout: 5000,
    ...options.plan,
  });
  const run: RunEvent = {
    event: "run",
    schema: 1,
    seed: 7,
    clients: plan.clients,
    protocol: options.protocol ?? "relay",
    server: "own",
    faults: options.faults !== undefined,
  };
  const history: HistoryEvent[] = [run];
  const onEvent = (event: HistoryEvent) => void history.push(event);
  const { targets, faults, control, onProgress, giveUpAfter } = options;
  const generator = new LocalGenerator({
    run,
    plan,
    targets,
    ...world.seam,
    onEvent,
    ...(faults && { faults }),
  });
  const test = runPlan({
    plan,
    generator,
    clock: world.clock,
    ...(control && { control }),
    ...(onProgress && { onProgress }),
    ...(giveUpAfter === undefined ? {} : { giveUpAfter }),
    onEvent,
    ...(options.signal ? { signal: options.signal } : {}),
    server: {
      // Everything in transit has a second to arrive.
      finalState: async () => {
        await new Promise<void>((resolve) => world.clock.after(1000, resolve));
        return options.finalState();
      },
      ...(options.died ? { died: options.died } : {}),
      ...(options.end ? { end: options.end } : {}),
    },
  });
  return { ...await world.clock.runUntil(test), history };
}

/** The kinds of what a run found. */
export function kinds({ judgement }: Run): string[] {
  return [...new Set(judgement.findings.map(({ kind }) => kind))];
}
