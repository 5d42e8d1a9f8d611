/** Summaries and reports of runs with handmade histories. */
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { measure } from "../../../loadtest/metrics/measure.ts";
import { Plan, type PlanOptions } from "../../../loadtest/plan/plan.ts";
import { renderReport } from "../../../loadtest/report/report.ts";
import { summarize, type Summary } from "../../../loadtest/metrics/summary.ts";
import { parseThreshold } from "../../../loadtest/metrics/threshold.ts";
import { judge } from "../../../loadtest/judge/verdict.ts";
import { goodRun, ledgerOf, ZERO_STATE } from "./run_events.ts";

/** A plan with one client every 10 ms. */
export function planOf({ clients = 10, ...options }: Partial<PlanOptions> = {}): Plan {
  return new Plan({
    seed: 1,
    clients,
    window: 10 * clients,
    arrival: "constant",
    replyDelay: { type: "fixed", delay: 9 },
    payload: { type: "short" },
    ...options,
  });
}

/** Returns the summary of a history of two seconds. */
export function summaryOf(
  events: readonly HistoryEvent[],
  { thresholds = [], plan }: { thresholds?: readonly string[]; plan?: Plan } = {},
): Summary {
  const ledger = ledgerOf(events);
  return summarize({
    ledger,
    judgement: judge(ledger),
    measures: measure(ledger),
    durationMs: 2000,
    usage: {
      server: { cpuSeconds: 1, peakMemory: 1024 },
      generator: { cpuSeconds: null, peakMemory: null },
    },
    thresholds: thresholds.map(parseThreshold),
    ...(plan === undefined ? {} : { plan }),
  });
}

/** Renders the report of such a history. */
export function reportOf(
  events: readonly HistoryEvent[],
  { command = "deno run -A loadtest.ts --seed 1", thresholds = [], ...options }: Partial<PlanOptions> & {
    command?: string;
    thresholds?: readonly string[];
  } = {},
): string {
  const ledger = ledgerOf(events);
  const plan = planOf({ clients: ledger.run.clients, ...options });
  return renderReport({
    plan,
    ledger,
    measures: measure(ledger),
    summary: summaryOf(events, { thresholds, plan }),
    command,
    version: "1.2.3",
    startedAt: new Date(0),
    machine: [["Machine", "two cores"]],
  });
}

/** Returns the summary of a relay run with every possible property. */
export function wholeSummary(): Summary {
  const lost = goodRun(400).filter((event) => !(event.event === "ack" && event.client === 7));
  const pace = { event: "pace", at: 1, paused: true, speed: 1 } as const;
  const server = {
    ...ZERO_STATE,
    processes: [{ pid: 1, accepted: 400, messages: 400 }],
    restarts: 0,
    unread: "gone",
  };
  const agent = { event: "agent", process: 0, name: "10.0.0.2:7000", offset: 5, roundTrip: 1 } as const;
  return summaryOf([...lost, pace, agent, { event: "server", at: 5002, state: server }], {
    thresholds: ["p99<1ms"],
    plan: planOf({ clients: 400 }),
  });
}

/** Returns the summary of a run of a scenario file whose server ended. */
export function fileSummary(): Summary {
  const run = goodRun(4, { protocol: "scenario", scenario: "echo.ts" });
  const death = { event: "died", at: 100, process: "server", detail: "exit code 1" } as const;
  return summaryOf([...run.filter(({ event }) => event !== "server"), death]);
}
