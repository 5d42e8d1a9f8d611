/** One load test from beginning to end: run the clients, ask the server, judge. @module */
import type { Clock } from "../internal/clock.ts";
import type { FleetProgress } from "./generate/fleet.ts";
import type { Generator } from "./generate/generator.ts";
import type { HistoryEvent, ServerState, StopEvent } from "./history/events.ts";
import type { ServerConnectionEvent } from "./history/server_events.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Plan } from "./plan/plan.ts";
import { judge, type Judgement } from "./judge/verdict.ts";

/** The server as the load test sees it. */
export interface ServerUnderTest {
  /** Its state when the clients are done, given some time to come to nothing; `null` when it cannot be asked. */
  finalState(): Promise<ServerState | null>;
  /** What it saw of its connections, asked when it has told its final state. Default: nothing. */
  connectionEvents?(begin: number): AsyncIterable<ServerConnectionEvent>;
  /** Settles with a description when it ends before it is told to. Default: it is not watched. */
  readonly died?: Promise<string>;
}

/** What {@linkcode runPlan} needs. */
export interface RunPlanOptions {
  readonly plan: Plan;
  readonly generator: Generator;
  readonly server: ServerUnderTest;
  readonly clock: Clock;
  /** Called every `progressInterval` ms. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Default 500 ms. */
  readonly progressInterval?: number;
  /** Gets the events of the run itself; those of the clients go to the generator's own hook. */
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Interrupts the run: the clients are stopped, and what was measured is judged. */
  readonly signal?: AbortSignal;
}

/** How far a load test has come. */
export interface RunProgress extends FleetProgress {
  readonly clients: number;
  /** ms since the run began. */
  readonly elapsed: number;
  /** ms until it ends at the latest. */
  readonly left: number;
}

/** What a load test came to. */
export interface RunResult {
  readonly judgement: Judgement;
  readonly ledger: Ledger;
  /** How long it took, ms, until the last client was done. */
  readonly durationMs: number;
}

/**
 * Runs a load test.
 *
 * The run ends when every client is done, at the plan's deadline, when the signal aborts, or when the server dies.
 */
export async function runPlan(options: RunPlanOptions): Promise<RunResult> {
  const { plan, generator, server, clock, signal, onProgress, progressInterval = 500 } = options;
  const facts: HistoryEvent[] = [];
  const record = (event: HistoryEvent) => {
    facts.push(event);
    options.onEvent?.(event);
  };

  const running = generator.run();
  const elapsed = () => clock.now() - generator.begin;
  let why: StopEvent["why"] = "done";
  const stop = (reason: StopEvent["why"]) => {
    if (why === "done") why = reason;
    generator.stop();
  };
  const interrupt = () => stop("interrupted");
  signal?.addEventListener("abort", interrupt, { once: true });
  if (signal?.aborted) interrupt();
  const deadline = clock.after(plan.deadline - elapsed(), () => stop("deadline"));
  const ticker = every(clock, progressInterval, () => {
    const left = Math.max(0, plan.deadline - elapsed());
    onProgress?.({ ...generator.progress, clients: plan.clients, elapsed: elapsed(), left });
  });
  const over = Promise.withResolvers<undefined>();
  const watching = Promise.race([server.died ?? over.promise, over.promise]).then((detail) => {
    if (detail === undefined) return;
    record({ event: "died", at: elapsed(), process: "server", detail });
    stop("died");
  });
  try {
    await running;
  } finally {
    deadline.cancel();
    ticker.cancel();
    signal?.removeEventListener("abort", interrupt);
  }
  const durationMs = elapsed();
  record({ event: "stop", at: durationMs, why });
  record({ event: "server", at: durationMs, state: await server.finalState() });
  over.resolve(undefined);
  await watching;
  for await (const event of server.connectionEvents?.(generator.begin) ?? []) record(event);
  const ledger = generator.ledger();
  for (const event of facts) ledger.record(event);
  return { judgement: judge(ledger), ledger, durationMs };
}

function every(clock: Clock, ms: number, run: () => void): { cancel(): void } {
  let timer = clock.after(ms, tick);
  function tick(): void {
    timer = clock.after(ms, tick);
    run();
  }
  return { cancel: () => timer.cancel() };
}
