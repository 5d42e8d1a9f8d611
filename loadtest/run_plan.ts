/** Runs a plan against a server from beginning to end: generates the load, asks the server, and judges. @module */
import type { Clock, Timer } from "../internal/clock.ts";
import type { Generator } from "./generate/generator.ts";
import type { HistoryEvent, ServerState, StopEvent } from "./history/events.ts";
import type { ServerConnectionEvent } from "./history/server_events.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { Pace } from "./pace/pace.ts";
import type { PaceState, RunControl } from "./pace/run_control.ts";
import { findAbort } from "./metrics/abort_threshold.ts";
import type { Threshold } from "./metrics/threshold.ts";
import { runStages } from "./pace/run_stages.ts";
import type { Plan } from "./plan/plan.ts";
import type { LoadShape } from "./scenario/load_shape.ts";
import { type JudgementSoFar, judgeSoFar, refusedSoFar, warningsOf } from "./judge/trouble.ts";
import { judge, type Judgement } from "./judge/verdict.ts";

/** Time in ms without any connection after which a target is not there at all. A server that restarts was there before. */
export const GIVE_UP_AFTER = 1500;

/** The server under test, as {@linkcode runPlan} sees it. */
export interface ServerUnderTest {
  /** Returns its state after the last client, with some time to settle; `null` if it cannot be asked. */
  finalState(): Promise<ServerState | null>;
  /** Yields what the server saw of its connections; called after `finalState`. Default: nothing. */
  connectionEvents?(begin: number): AsyncIterable<ServerConnectionEvent>;
  /**
   * Ends a server that the load test has started. Called after `connectionEvents`, unless the run was interrupted. Resolves
   * with a description if the server had to be killed. Default: the server goes on.
   */
  end?(): Promise<string | undefined>;
  /** Resolves with a description if the server ends before the run does. Default: not watched. */
  readonly died?: Promise<string>;
}

/** Options for {@linkcode runPlan}. */
export interface RunPlanOptions {
  readonly plan: Plan;
  readonly generator: Generator;
  readonly server: ServerUnderTest;
  readonly clock: Clock;
  /** Changes the pace while the run goes on. Default: it cannot be changed. */
  readonly control?: RunControl;
  /** The messages of a scenario, for the stages of the run. Default: none. */
  readonly load?: LoadShape;
  /** Thresholds that stop the run if they do not hold; others are ignored. Default: none. */
  readonly thresholds?: readonly Threshold[];
  /** Called last, after the state of the server was read. Resolves with what went wrong in parts of a scenario, if anything. */
  readonly finish?: () => Promise<readonly string[]>;
  /** Receives the progress every `progressInterval` ms. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** In ms. Default 500. */
  readonly progressInterval?: number;
  /**
   * Ends the run, as `unreachable`, when no client has ever connected for this long after the first failed attempt, in
   * ms. Default: clients try again until the deadline.
   */
  readonly giveUpAfter?: number;
  /** Receives the events of the run itself; client events go to the generator's own callback. */
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Interrupts the run: the clients stop, and what was measured so far is judged. */
  readonly signal?: AbortSignal;
}

/** The progress of a run. */
export interface RunProgress {
  /** Planned clients. */
  readonly clients: number;
  /** Clients that have started. */
  readonly started: number;
  /** Failed attempts to connect, and the most frequent reason. */
  readonly refused: { readonly count: number; readonly why: string };
  /** Acknowledged messages. */
  readonly acknowledged: number;
  /** Open connections. */
  readonly open: number;
  /** Messages sent again. */
  readonly resent: number;
  /** Clients that have finished. */
  readonly finished: number;
  /** Times from planned start to ok so far: an HdrHistogram in its compressed Base64 encoding, in microseconds. */
  readonly latency: string;
  /** Time since the run began, in ms. */
  readonly elapsed: number;
  /** Time until the deadline, in ms; a pause does not count. */
  readonly left: number;
  /** Lag of the generators at the 99th percentile, in ms. */
  readonly lag: number;
  readonly soFar: JudgementSoFar;
  /** Sentences about generators that have ended too early, or are silent. */
  readonly warnings: readonly string[];
  /** The pace; `undefined` if it cannot be changed. */
  readonly pace: PaceState | undefined;
}

/** The result of {@linkcode runPlan}. */
export interface RunResult {
  readonly judgement: Judgement;
  readonly ledger: Ledger;
  /** Time until the last client finished, in ms. */
  readonly durationMs: number;
}

/**
 * Runs a plan, and judges what happened.
 *
 * The run ends when every client has finished, at the plan's deadline, when a threshold stops it, when `signal` aborts,
 * when the server dies, or when it cannot be reached from the beginning.
 */
export async function runPlan(options: RunPlanOptions): Promise<RunResult> {
  const { plan, generator, server, clock, signal, control, onProgress, progressInterval = 500, giveUpAfter } =
    options;
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
  const isInterrupted = () => why === "interrupted";
  signal?.addEventListener("abort", interrupt, { once: true });
  if (signal?.aborted) interrupt();
  const aborting = (options.thresholds ?? []).filter(({ abortAfter }) => abortAfter !== undefined);
  let threshold: string | undefined;
  let deadline: Timer | undefined;
  const watchDeadline = () => {
    deadline?.cancel();
    const at = pace.instantOf(plan.deadline);
    if (at < Infinity) deadline = clock.after(at - elapsed(), () => stop("deadline"));
  };
  const pace = control?.begin({
    stages: runStages(plan, options.load),
    now: elapsed,
    apply: (setting, at) => {
      record({ event: "pace", at, ...setting });
      generator.setPace(setting);
      watchDeadline();
    },
  }) ?? new Pace(0);
  watchDeadline();
  let giveUpAt = Infinity;
  const report = () => {
    if (onProgress === undefined && aborting.length === 0 && giveUpAfter === undefined) return;
    const { trouble, histograms, connected, ...progress } = generator.progress;
    const refused = refusedSoFar(trouble);
    if (connected > 0) giveUpAt = Infinity;
    else if (refused.count > 0) giveUpAt = Math.min(giveUpAt, elapsed() + (giveUpAfter ?? Infinity));
    if (elapsed() >= giveUpAt) stop("unreachable");
    const { clients } = plan;
    const crossed = findAbort(aborting, { ...progress, clients, elapsed: elapsed(), trouble, histograms });
    if (crossed !== undefined && why === "done") {
      threshold = crossed.expression;
      stop("threshold");
    }
    onProgress?.({
      ...progress,
      clients,
      refused,
      elapsed: elapsed(),
      left: Math.max(0, pace.timeUntil(plan.deadline, elapsed())),
      soFar: judgeSoFar(generator.runEvent, trouble, progress),
      warnings: warningsOf(trouble),
      pace: control?.state,
    });
  };
  const ticker = every(clock, progressInterval, report);
  const over = Promise.withResolvers<undefined>();
  const watching = Promise.race([server.died ?? over.promise, over.promise]).then((detail) => {
    // A signal to the whole process group ends the server too: the run is interrupted, and the server did not fail.
    if (detail === undefined || why === "interrupted" || signal?.aborted) return;
    record({ event: "died", at: elapsed(), process: "server", detail });
    stop("died");
  });
  try {
    await running;
    report(); // With all that the clients did: otherwise the last progress is up to an interval old.
  } finally {
    control?.end();
    deadline?.cancel();
    ticker.cancel();
    signal?.removeEventListener("abort", interrupt);
  }
  const durationMs = elapsed();
  const ledger = generator.ledger();
  // Sessions that do not try again may all have failed before it was time to give up.
  if (giveUpAfter !== undefined && (why === "done" || why === "deadline") && isUnreached(ledger)) {
    why = "unreachable";
  }
  record({
    event: "stop",
    at: durationMs,
    why,
    ...(threshold === undefined ? {} : { threshold }),
  });
  // Without a server, reading its state would only fail as well.
  const state = why === "unreachable" ? null : await server.finalState();
  record({ event: "server", at: durationMs, state });
  over.resolve(undefined);
  await watching;
  for await (const event of server.connectionEvents?.(generator.begin) ?? []) record(event);
  // Not after an interrupt: its results must not wait, and a server that the user ends by force has not failed.
  const hung = isInterrupted() || signal?.aborted ? undefined : await unlessAborted(server.end?.(), signal);
  if (hung !== undefined) record({ event: "killed", at: durationMs, detail: hung });
  for (const detail of await options.finish?.() ?? []) record({ event: "threw", at: durationMs, detail });
  for (const event of facts) ledger.record(event);
  return { judgement: judge(ledger), ledger, durationMs };
}

/** Resolves with the result of `ending`, or with `undefined` when `signal` aborts first. */
async function unlessAborted<Result>(
  ending: Promise<Result> | undefined,
  signal: AbortSignal | undefined,
): Promise<Result | undefined> {
  if (signal === undefined) return await ending;
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([ending, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Whether clients tried to connect, and none of them ever did. */
function isUnreached({ connections, reasons }: Ledger): boolean {
  return connections.length === 0 && reasons.count("refused") > 0;
}

function every(clock: Clock, ms: number, run: () => void): { cancel(): void } {
  let timer = clock.after(ms, tick);
  function tick(): void {
    timer = clock.after(ms, tick);
    run();
  }
  return { cancel: () => timer.cancel() };
}
