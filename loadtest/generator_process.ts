/** A part of the clients, run in a process of its own: both ends of what is said between it and who drives it. @module */
import { Buffer } from "node:buffer";
import { deserialize, serialize } from "node:v8";
import { systemClock, systemNetwork, systemRandom } from "../socket/system.ts";
import { Fleet, type FleetProgress } from "./fleet.ts";
import { type Generator, type GeneratorRun, ownCpuSeconds } from "./generator.ts";
import type { HistoryEvent, RunEvent } from "./history.ts";
import { LatencyHistogram } from "./latency.ts";
import { Ledger, type LedgerSnapshot } from "./ledger.ts";
import { type ChildLine, describeEnd, LineProcess } from "./line_process.ts";
import { Plan, type PlanOptions } from "./plan.ts";

/** What a part is told, in one line of JSON on its stdin. */
export interface PartOrder {
  readonly run: RunEvent;
  readonly plan: PlanOptions;
  readonly part: number;
  readonly parts: number;
  readonly targets: GeneratorRun["targets"];
  /** When the run begins, in ms since 1970: the one clock that processes share. */
  readonly beginsAt: number;
}

/** What {@linkcode GeneratorProcesses} needs. */
export interface GeneratorProcessesOptions extends GeneratorRun {
  /** The program that runs one part; it must call {@linkcode runPart}. */
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly processes: number;
}

const PROGRESS_MS = 250;
// Time for the processes to start and make their plans, before the run begins.
const START_MS = 1500;
// A ledger travels in pieces: one line of all of it would be copied again with every read.
const PIECE_BYTES = 96 * 1024;
const NOTHING: FleetProgress = {
  started: 0,
  acknowledged: 0,
  open: 0,
  resent: 0,
  finished: 0,
  latency: new LatencyHistogram().encode(),
};

/** Runs all clients, in several processes. A process that dies is booked, and the others go on. */
export class GeneratorProcesses implements Generator {
  readonly begin: number;
  readonly #options: GeneratorProcessesOptions;
  readonly #ledger: Ledger;
  readonly #progress: FleetProgress[];
  readonly #processes: LineProcess[] = [];
  #cpuSeconds = 0;

  constructor(options: GeneratorProcessesOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.run);
    this.#progress = Array.from({ length: options.processes }, () => NOTHING);
    this.begin = systemClock.now() + START_MS;
  }

  get progress(): FleetProgress {
    const sum = (of: (part: FleetProgress) => number) =>
      this.#progress.reduce((total, part) => total + of(part), 0);
    const latency = new LatencyHistogram();
    for (const part of this.#progress) latency.mergeEncoded(part.latency);
    return {
      started: sum(({ started }) => started),
      acknowledged: sum(({ acknowledged }) => acknowledged),
      open: sum(({ open }) => open),
      resent: sum(({ resent }) => resent),
      finished: sum(({ finished }) => finished),
      latency: latency.encode(),
    };
  }

  async run(): Promise<void> {
    await Promise.all(this.#progress.map((_, part) => this.#runPart(part)));
  }

  stop(): void {
    for (const process of this.#processes) process.kill("SIGTERM");
  }

  ledger(): Ledger {
    return this.#ledger;
  }

  cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  async #runPart(part: number): Promise<void> {
    const { run, plan, targets, processes: parts, command, env } = this.#options;
    const pieces: Uint8Array[] = [];
    let whole = false;
    const process = new LineProcess({
      command,
      ...(env ? { env } : {}),
      onLine: (line) => {
        if (line.event === "progress") this.#progress[part] = line.progress as FleetProgress;
        else if (line.event === "usage") this.#cpuSeconds += Number(line.cpuSeconds);
        else if (line.event === "ledger") {
          pieces.push(Buffer.from(String(line.piece), "base64"));
          whole = line.last === true;
        }
      },
    });
    this.#processes.push(process);
    const beginsAt = performance.timeOrigin + this.begin;
    const order: PartOrder = { run, plan: plan.options, part, parts, targets, beginsAt };
    await process.say(JSON.stringify(order));
    const end = await process.ended;
    if (whole) this.#ledger.absorb(deserialize(Buffer.concat(pieces)) as LedgerSnapshot);
    if (!whole || end.code !== 0) {
      const at = systemClock.now() - this.begin;
      this.#ledger.record({ event: "died", at, process: part, detail: describeEnd(end) });
    }
  }
}

/** What {@linkcode runPart} needs besides its order. */
export interface PartOptions {
  /** Writes a line of JSON to whoever gave the order. */
  readonly say: (line: ChildLine) => void;
  /** Called with what stops the part. */
  readonly onStop: (stop: () => void) => void;
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** Runs one part of the clients, as ordered, and says its progress and, last, its ledger. */
export async function runPart(order: PartOrder, { say, onStop, onEvent }: PartOptions): Promise<void> {
  const { run, part, parts, targets } = order;
  const ledger = new Ledger(run, { part, parts });
  const fleet = new Fleet({
    plan: new Plan(order.plan),
    part,
    parts,
    targets,
    network: systemNetwork,
    clock: systemClock,
    random: systemRandom,
    begin: order.beginsAt - performance.timeOrigin,
    record: onEvent === undefined ? (event) => ledger.record(event) : (event) => {
      ledger.record(event);
      onEvent(event);
    },
  });
  onStop(() => fleet.stop());
  const sayProgress = () => say({ event: "progress", progress: fleet.progress });
  const ticker = setInterval(sayProgress, PROGRESS_MS);
  try {
    await fleet.run();
  } finally {
    clearInterval(ticker);
  }
  sayProgress();
  const bytes = serialize(ledger.snapshot());
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = Buffer.from(bytes.subarray(at, at + PIECE_BYTES)).toString("base64");
    say({ event: "ledger", piece, last: at + PIECE_BYTES >= bytes.length });
  }
  say({ event: "usage", cpuSeconds: ownCpuSeconds() });
}
