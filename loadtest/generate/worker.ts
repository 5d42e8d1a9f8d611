/** Runs a part of the clients in a process of its own: the worker side. @module */
import { Buffer } from "node:buffer";
import { serialize } from "node:v8";
import { securedNetwork } from "../../tls/lazy.ts";
import type { Network } from "../../socket/network.ts";
import { systemClock, systemRandom } from "../../socket/tcp.ts";
import { Fleet } from "./fleet.ts";
import { type GeneratorProgress, type GeneratorRun, ownUsage } from "./generator.ts";
import type { HistoryEvent } from "../history/events.ts";
import { formatHistoryLine } from "../history/line_format.ts";
import { Ledger } from "../ledger/ledger.ts";
import { LineFile } from "../history/line_file.ts";
import { ThreadLoadMeter } from "../process/thread_load.ts";
import type { ChildMessage } from "../process/child_process.ts";
import { describeThrown } from "../scenario/errors.ts";
import { divertOutput } from "../scenario/divert_output.ts";
import { forbidExit } from "../scenario/forbid_exit.ts";
import { scenarioOf, type ScenarioOrder } from "../scenario/scenario_order.ts";
import { catchStrayErrors } from "../scenario/stray_errors.ts";
import { LiveHistograms } from "../metrics/live_histograms.ts";
import { troubleOf } from "../judge/trouble.ts";
import type { PaceSetting } from "../pace/pace.ts";
import { Plan, type PlanOptions } from "../plan/plan.ts";

/** The first message to a worker, in one line of JSON. */
export interface WorkerSetup extends Omit<GeneratorRun, "plan" | "scenario"> {
  readonly plan: PlanOptions;
  readonly part: number;
  readonly parts: number;
  /** The file for its events. Default: none. */
  readonly history?: string;
  /** URL of a scenario file, and the rest of a prepared scenario. */
  readonly scenario?: ScenarioOrder;
}

/** The message to a worker when all workers are ready. */
export interface WorkerStart {
  /** When the run begins, in ms since 1970, the only clock that processes share. */
  readonly beginsAt: number;
}

/** Options for {@linkcode runWorker}. */
export interface WorkerOptions {
  /** The lines from its parent: a {@linkcode WorkerSetup}, a {@linkcode WorkerStart}, then a {@linkcode PaceSetting} for each change. */
  readonly orders: AsyncIterator<string>;
  /** Writes a line of JSON to its parent, also while a scenario has `Deno.stdout` write elsewhere. */
  readonly send: (line: ChildMessage) => void;
  /** The sockets of its clients, before TLS. */
  readonly network: Network;
  /** Aborting it stops the clients; the ledger is sent all the same. */
  readonly stopped: AbortSignal;
}

const PROGRESS_MS = 250;
const STACK_FRAMES = 40;
// A ledger is sent in pieces: a single line would be copied again with every read.
const PIECE_BYTES = 96 * 1024;

/** Runs a part of the clients, and sends its progress and, last, its ledger. */
export async function runWorker({ orders, send, network, stopped }: WorkerOptions): Promise<void> {
  const order = await next<WorkerSetup>(orders);
  const { run, part, parts } = order;
  const plan = new Plan(order.plan);
  const ledger = new Ledger(run, { part, parts });
  const live = new LiveHistograms(order.watched ?? [], run);
  using history = order.history === undefined ? undefined : new LineFile(order.history);
  let begin = Infinity;
  const record = (event: HistoryEvent): void => {
    ledger.record(event);
    live.record(event);
    history?.write(formatHistoryLine(event));
  };
  using _stray = order.scenario && catchStrayErrors((part, error) => {
    const detail = `${part} ${describeThrown(error, order.scenario?.file)}`;
    record({ event: "threw", at: Math.max(0, systemClock.now() - begin), detail });
  });
  using _exit = order.scenario && forbidExit();
  using _output = order.scenario && divertOutput();
  // What is thrown below `t.ask` has more frames of this project than an error usually keeps.
  if (order.scenario !== undefined) Error.stackTraceLimit = STACK_FRAMES;
  const scenario = order.scenario === undefined ? undefined : await scenarioOf(order.scenario);
  const clientNetwork = await securedNetwork(network, order.tls);
  send({ event: "ready" });
  const { beginsAt } = await next<WorkerStart>(orders);
  begin = beginsAt - performance.timeOrigin;
  const { scenario: _, ...rest } = order;
  using meter = new ThreadLoadMeter();
  const fleet = new Fleet({
    meter,
    ...rest,
    ...(scenario === undefined ? {} : { scenario }),
    plan,
    network,
    clientNetwork,
    clock: systemClock,
    random: systemRandom,
    begin,
    record,
    clientRecord: history === undefined && !live.records ? ledger.clientFacts : undefined,
  });
  const stop = (): void => fleet.stop();
  if (stopped.aborted) stop();
  stopped.addEventListener("abort", stop, { once: true });
  const sendProgress = (): void => {
    const progress: GeneratorProgress = {
      ...fleet.progress,
      trouble: troubleOf(ledger),
      histograms: live.encode(),
    };
    send({ event: "progress", progress });
  };
  const ticker = setInterval(sendProgress, PROGRESS_MS);
  try {
    await Promise.race([fleet.run(), followPace(orders, fleet)]);
  } finally {
    clearInterval(ticker);
  }
  sendProgress();
  send({ event: "usage", usage: ownUsage() });
  const bytes = serialize(ledger.snapshot());
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = Buffer.from(bytes.subarray(at, at + PIECE_BYTES)).toString("base64");
    send({ event: "ledger", piece, last: at + PIECE_BYTES >= bytes.length });
  }
}

/** Changes the pace for each order. Never resolves: the end of the input is handled by the program. */
async function followPace(orders: AsyncIterator<string>, fleet: Fleet): Promise<never> {
  for (;;) {
    const { done, value } = await orders.next();
    if (done) return await new Promise<never>(() => {});
    fleet.setPace(JSON.parse(value) as PaceSetting);
  }
}

async function next<Order>(orders: AsyncIterator<string>): Promise<Order> {
  const { done, value } = await orders.next();
  if (done) throw new TypeError("Cannot run a generator worker: its input ended before its setup");
  return JSON.parse(value) as Order;
}
