/** Runs the clients of a plan, or a part of them, on schedule. @module */
import { DEFAULT_MAX_LINE } from "../../socket/codecs/line_decoder.ts";
import type { LineLimits } from "../../socket/connection/options.ts";
import { type Address, formatAddress, type Network } from "../../socket/network.ts";
import { type Clock, type Random, type Timer } from "../../internal/clock.ts";
import { ClientRecorder } from "./client_recorder.ts";
import { echoRequest, httpRequest } from "./request_reply.ts";
import { RequestReplyClient } from "./request_reply_client.ts";
import { injectFaults } from "./fault_injection.ts";
import type { FaultSpec } from "../plan/fault_spec.ts";
import { type HistoryEvent, maxLagOf, type RunEvent } from "../history/events.ts";
import type { ClientRecord } from "../ledger/client_record.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { Pace, type PaceSetting } from "../pace/pace.ts";
import { runStages } from "../pace/run_stages.ts";
import type { Plan } from "../plan/plan.ts";
import { randomStream } from "../plan/seeded_random.ts";
import { type PreparedScenario, ScenarioRunner } from "../scenario/scenario_runner.ts";
import type { ThreadLoadMeter } from "../process/thread_load.ts";
import { EventRecord } from "./event_record.ts";
import { type FleetProgress, ProgressCounter } from "./fleet_progress.ts";
import { LoopLag } from "./loop_lag.ts";
import { RelayClients } from "./relay_clients.ts";
import { RelayTask } from "./relay_task.ts";
import { SocketLag } from "./socket_lag.ts";

/** Options for {@linkcode Fleet}. */
export interface FleetOptions {
  readonly run: RunEvent;
  readonly plan: Plan;
  /** The part to run. Default: all clients. */
  readonly part?: number;
  readonly parts?: number;
  /** Addresses of the server; the clients are spread over them. */
  readonly targets: readonly Address[];
  /** Default: none. */
  readonly faults?: FaultSpec;
  /** The token that relay clients send first. Default: none. */
  readonly token?: string;
  /** The scenario of the clients, if the protocol is `scenario`. */
  readonly scenario?: PreparedScenario;
  /** Plain sockets, for the lag of this process. */
  readonly network: Network;
  /** The network of the clients. Default: `network`. */
  readonly clientNetwork?: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** When the run begins, on the clock, in ms. */
  readonly begin: number;
  /** Measures what this process does. Default: not measured. */
  readonly meter?: Pick<ThreadLoadMeter, "take">;
  /** Receives every event, except those that `clientRecord` takes as calls. */
  readonly record: (event: HistoryEvent) => void;
  /** Takes what clients do. Default: `record`, as events. */
  readonly clientRecord?: ClientRecord | undefined;
}

/** A client of any protocol. */
interface Client {
  stop(): void;
}

const LEAST_WRITE_BUFFER = 1024 * 1024;
// Several long messages may wait for one client, which does not make it a slow reader.
const LINES_WAITING = 64;

// Often enough to see a stall of a few hundredths of a second, rare enough to cost nothing.
const LAG_SAMPLE_MS = 20;

/** The clients of one process. Starts are planned beforehand, and never wait for other clients. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #clock: Clock;
  readonly #indices: readonly number[];
  /** The clients that run, by their place in `#indices`. */
  readonly #clients: (Client | undefined)[] = [];
  #running = 0;
  readonly #loopLag: LoopLag;
  readonly #startLag = new LatencyHistogram();
  readonly #done = Promise.withResolvers<void>();
  readonly #progress = new ProgressCounter();
  readonly #pace: Pace;
  readonly #scenario: ScenarioRunner | undefined;
  readonly #relay: RelayClients | undefined;
  readonly #clientRecord: ClientRecord;
  readonly #recorder: ClientRecorder;
  readonly #limits: LineLimits;
  #next = 0;
  #stopped = false;
  #starting: Timer | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#clock = options.clock;
    const { plan, part = 0, parts = 1, run, clock, begin, scenario: prepared } = options;
    this.#indices = [...plan.slice(part, parts)];
    this.#pace = new Pace(runStages(plan, prepared?.load).at(-1)?.begin ?? 0);
    this.#limits = {
      writeBuffer: Math.max(LEAST_WRITE_BUFFER, LINES_WAITING * plan.longestLine),
      maxLine: Math.max(DEFAULT_MAX_LINE, plan.longestLine),
    };
    this.#loopLag = new LoopLag({ clock, interval: LAG_SAMPLE_MS, meter: options.meter });
    // A scenario makes up its messages as it goes.
    const textOf = run.protocol === "scenario" ? () => "" : (client: number) => plan.text(client);
    this.#clientRecord = options.clientRecord ?? new EventRecord(options.record, textOf);
    const recorder = {
      plan,
      part,
      parts,
      targets: options.targets,
      now: () => this.#now(),
      record: this.#clientRecord,
      progress: this.#progress,
      stopped: () => this.#stopped,
    };
    if (run.protocol === "relay") {
      const onOver = (client: number): void => this.#finished(client);
      const task = new RelayTask({ ...recorder, onOver, onFailed: this.#done.reject });
      this.#recorder = task;
      this.#relay = this.#relayClients(task);
    } else this.#recorder = new ClientRecorder(recorder);
    if (run.protocol !== "scenario") return;
    if (prepared === undefined) throw new TypeError("Cannot run the protocol scenario without a scenario");
    this.#scenario = new ScenarioRunner({
      prepared,
      plan,
      part,
      parts,
      clock,
      begin,
      pace: this.#pace,
      maxLag: maxLagOf(run),
      record: (event) => this.#record(event),
      onAnswered: (ms, count) => this.#progress.acknowledgeSampled(ms, count),
    });
  }

  get progress(): FleetProgress {
    const lag = Math.max(this.#loopLag.percentile99, this.#startLag.percentile(99) ?? 0);
    const over = this.#progress.finished === this.#indices.length;
    return this.#progress.report({ now: this.#clock.now(), lag, over });
  }

  /** Runs every client to its end; once only. */
  async run(): Promise<void> {
    const { plan } = this.#options;
    for (const index of this.#indices) this.#clientRecord.planned(index, plan.startAt(index));
    const { network, part: process = 0 } = this.#options;
    const socketLag = new SocketLag({ network, clock: this.#clock, interval: LAG_SAMPLE_MS });
    socketLag.start();
    this.#loopLag.start();
    this.#startDue();
    this.#scenario?.start();
    let load;
    try {
      await this.#done.promise;
    } finally {
      this.#starting?.cancel();
      load = this.#loopLag.stop();
      this.#scenario?.stop();
    }
    this.#record({
      event: "generator",
      process,
      loopLag: this.#loopLag.percentile99,
      socketLag: await socketLag.stop(),
      ...(load === undefined ? {} : { load }),
    });
  }

  /** Starts no more clients, and stops those that have not finished. */
  stop(): void {
    this.#stopped = true;
    this.#starting?.cancel();
    this.#next = this.#indices.length;
    for (const client of this.#clients) client?.stop();
    this.#settle();
  }

  /** Changes the pace from now on. */
  setPace(setting: PaceSetting): void {
    // What is due by now starts at the pace of before: it would count as late after a pause.
    this.#startDue();
    this.#scenario?.start();
    this.#pace.set(setting, this.#now());
    this.#startDue();
    this.#scenario?.start();
  }

  /** Starts every client that is due. A late timer starts several, and the ledger records how late each is. */
  #startDue(): void {
    this.#starting?.cancel();
    const now = this.#now();
    for (let index = this.#indices[this.#next]; index !== undefined; index = this.#indices[++this.#next]) {
      const due = this.#pace.instantOf(this.#options.plan.startAt(index));
      if (due > now) {
        if (due < Infinity) this.#starting = this.#clock.after(due - now, () => this.#startDue());
        return;
      }
      this.#start(index, due);
    }
    this.#settle();
  }

  #start(index: number, due: number): void {
    this.#progress.started++;
    this.#startLag.record(this.#now() - due);
    this.#recorder.started(index, due);
    this.#running++;
    if (this.#relay === undefined) {
      const client = this.#client(index, due);
      this.#clients[this.#placeOf(index)] = client;
      client.run().then(() => this.#finished(index), this.#done.reject);
    } else {
      const own = this.#options.faults === undefined ? undefined : this.#networkOf(index);
      const client = this.#relay.create(index, own);
      this.#clients[this.#placeOf(index)] = client;
      client.begin();
    }
  }

  #finished(index: number): void {
    this.#clients[this.#placeOf(index)] = undefined;
    this.#running--;
    this.#progress.finished++;
    this.#settle();
  }

  /** The place of a client in `#indices`. */
  #placeOf(index: number): number {
    const { part = 0, parts = 1 } = this.#options;
    return (index - part) / parts;
  }

  #relayClients(task: RelayTask): RelayClients {
    const { plan, clock, random, token, targets, clientNetwork: network = this.#options.network } =
      this.#options;
    const timeouts = { ack: plan.timeout, linger: plan.linger };
    const shared = { clock, random, network, limits: this.#limits, timeouts };
    return new RelayClients({ task, targets, shared: token === undefined ? shared : { ...shared, token } });
  }

  #client(index: number, due: number): Client & { run(): Promise<unknown> } {
    const { plan, targets, random, run } = this.#options;
    const target = targets[index % targets.length]!;
    const { hostname, port } = target;
    const text = plan.text(index);
    const observer = this.#recorder.observerOf(index);
    const network = this.#networkOf(index);
    if (this.#scenario !== undefined) return this.#scenario.client(index, { due, target, network, observer });
    const limits = this.#limits;
    const { maxLine = DEFAULT_MAX_LINE } = limits;
    const shared = { hostname, port, network, clock: this.#clock, random, text, observer };
    const exchange = { ...shared, timeout: plan.timeout, limits };
    if (run.protocol === "hello") {
      return new RequestReplyClient({ ...exchange, requestReply: httpRequest(text, formatAddress(target)) });
    }
    return new RequestReplyClient({
      ...exchange,
      requestReply: echoRequest(text, { maxLine, isMessage: (text) => plan.find(text) !== undefined }),
    });
  }

  /** Returns the network of one client, with faults drawn from the seed. */
  #networkOf(client: number): Network {
    const { faults, plan, clientNetwork: network = this.#options.network } = this.#options;
    if (faults === undefined) return network;
    return injectFaults(faults, {
      network,
      clock: this.#clock,
      random: randomStream(plan.options.seed, "fault", { index: client }),
      onFault: (kind) => this.#record({ event: "fault", at: this.#now(), kind, client }),
    });
  }

  #settle(): void {
    if (this.#next >= this.#indices.length && this.#running === 0) this.#done.resolve();
  }

  #record(event: HistoryEvent): void {
    this.#options.record(event);
  }

  /** ms since the run began. */
  #now(): number {
    return this.#clock.now() - this.#options.begin;
  }
}
