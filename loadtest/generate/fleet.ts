/** Runs the clients of a plan, or a part of them, on schedule. @module */
import { RelayClient } from "../../relay/client.ts";
import { ClientSettings } from "../../relay/client_settings.ts";
import { DEFAULT_MAX_LINE } from "../../socket/codecs/line_decoder.ts";
import type { LineLimits } from "../../socket/connection/options.ts";
import { type Address, formatAddress, type Network } from "../../socket/network.ts";
import { type Clock, type Random, type Timer } from "../../internal/clock.ts";
import { ClientRecorder, type RecorderSettings } from "./client_recorder.ts";
import { echoRequest, httpRequest } from "./request_reply.ts";
import { RequestReplyClient } from "./request_reply_client.ts";
import { injectFaults } from "./fault_injection.ts";
import type { FaultSpec } from "../plan/fault_spec.ts";
import { type HistoryEvent, maxLagOf, plannedEvent, type RunEvent } from "../history/events.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import { Pace, type PaceSetting } from "../pace/pace.ts";
import { runStages } from "../pace/run_stages.ts";
import type { Plan } from "../plan/plan.ts";
import { randomStream } from "../plan/seeded_random.ts";
import { type PreparedScenario, ScenarioRunner } from "../scenario/scenario_runner.ts";
import type { ThreadLoad, ThreadLoadMeter } from "../process/thread_load.ts";
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
  /** Receives every event. */
  readonly record: (event: HistoryEvent) => void;
}

/** The progress of a fleet. */
export interface FleetProgress {
  readonly started: number;
  /** Connections made, open or not. */
  readonly connected: number;
  readonly acknowledged: number;
  /** Open connections. */
  readonly open: number;
  readonly resent: number;
  /** Clients that have finished. */
  readonly finished: number;
  /** Lag of this process in timers and client starts, at the 99th percentile, in ms. */
  readonly lag: number;
  /** The times from planned start to ok so far: an encoded `LatencyHistogram`. */
  readonly latency: string;
}

/** A client of any protocol. */
interface Client {
  run(): Promise<unknown>;
  stop(): void;
}

const LEAST_WRITE_BUFFER = 1024 * 1024;
// Several long messages may wait for one client, which does not make it a slow reader.
const LINES_WAITING = 64;

/** Replies recorded in the latency of the progress: all of the first ones, later one in 16. */
const ALL_SAMPLED = 10_000;
const SAMPLE = 16;

// Often enough to see a stall of a few hundredths of a second, rare enough to cost nothing.
const LAG_SAMPLE_MS = 20;
/** Samples after which the load of the process is read, a second. */
const LOAD_SAMPLES = 50;

/** The clients of one process. Starts are planned beforehand, and never wait for other clients. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #clock: Clock;
  readonly #indices: readonly number[];
  readonly #running = new Set<Client>();
  readonly #loopLag = new LatencyHistogram();
  readonly #startLag = new LatencyHistogram();
  readonly #done = Promise.withResolvers<void>();
  readonly #progress = { started: 0, connected: 0, acknowledged: 0, open: 0, resent: 0, finished: 0 };
  readonly #latency = new LatencyHistogram();
  readonly #pace: Pace;
  readonly #scenario: ScenarioRunner | undefined;
  /** Settings of all relay clients. */
  readonly #relayClients: ClientSettings | undefined;
  readonly #recorder: RecorderSettings;
  /** The addresses of `targets` as text. */
  readonly #remotes: readonly string[];
  readonly #limits: LineLimits;
  #next = 0;
  #stopped = false;
  #starting: Timer | undefined;
  #sampling: Timer | undefined;
  /** The highest lag since the load was last read, and the load when the lag was highest. */
  #recent = { samples: 0, lag: -1 };
  #worst: { readonly lag: number; readonly load: ThreadLoad } | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#clock = options.clock;
    const { plan, part = 0, parts = 1, run, clock, begin, scenario: prepared } = options;
    this.#indices = [...plan.slice(part, parts)];
    this.#pace = new Pace(runStages(plan, prepared?.load).at(-1)?.begin ?? 0);
    // Once for all clients: they are most of the memory of a load test.
    this.#remotes = options.targets.map(formatAddress);
    this.#limits = {
      writeBuffer: Math.max(LEAST_WRITE_BUFFER, LINES_WAITING * plan.longestLine),
      maxLine: Math.max(DEFAULT_MAX_LINE, plan.longestLine),
    };
    this.#recorder = {
      plan,
      now: () => this.#now(),
      record: options.record,
      progress: this.#progress,
      latency: this.#latency,
      stopped: () => this.#stopped,
    };
    if (run.protocol === "relay") {
      const { random, token } = options;
      const timeouts = { ack: plan.timeout, linger: plan.linger };
      const shared = { clock, random, limits: this.#limits, timeouts };
      this.#relayClients = new ClientSettings(token === undefined ? shared : { ...shared, token });
    }
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
      onAnswered: (ms, count) => {
        // For the live view only, which a sample serves as well: recording each costs a tenth of a request.
        const before = this.#progress.acknowledged;
        const answered = this.#progress.acknowledged += count;
        const sampled = answered < ALL_SAMPLED
          ? count
          : Math.floor(answered / SAMPLE) - Math.floor(before / SAMPLE);
        if (sampled > 0) this.#latency.record(ms, sampled);
      },
    });
  }

  get progress(): FleetProgress {
    const lag = Math.max(this.#loopLag.percentile(99) ?? 0, this.#startLag.percentile(99) ?? 0);
    return { ...this.#progress, lag, latency: this.#latency.encode() };
  }

  /** Runs every client to its end; once only. */
  async run(): Promise<void> {
    for (const index of this.#indices) {
      const planned = this.#options.plan.client(index);
      // A scenario makes up its messages as it goes.
      this.#record(plannedEvent(this.#scenario === undefined ? planned : { ...planned, text: "" }));
    }
    const { network, part: process = 0 } = this.#options;
    const socketLag = new SocketLag({ network, clock: this.#clock, interval: LAG_SAMPLE_MS });
    socketLag.start();
    this.#sampleLag();
    this.#startDue();
    this.#scenario?.start();
    try {
      await this.#done.promise;
    } finally {
      this.#starting?.cancel();
      this.#sampling?.cancel();
      this.#scenario?.stop();
    }
    // A run of less than a second has no other reading.
    if (this.#worst === undefined || this.#recent.lag > this.#worst.lag) this.#readLoad();
    this.#record({
      event: "generator",
      process,
      loopLag: this.#loopLag.percentile(99) ?? 0,
      socketLag: await socketLag.stop(),
      ...(this.#worst === undefined ? {} : { load: this.#worst.load }),
    });
  }

  /** Starts no more clients, and stops those that have not finished. */
  stop(): void {
    this.#stopped = true;
    this.#starting?.cancel();
    this.#next = this.#indices.length;
    for (const client of this.#running) client.stop();
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
    const client = this.#client(index, due);
    const at = this.#now();
    this.#progress.started++;
    this.#startLag.record(at - due);
    const moved = due !== this.#options.plan.startAt(index);
    this.#record({ event: "start", client: index, at, ...(moved ? { due } : {}) });
    this.#running.add(client);
    client.run().then(() => {
      this.#running.delete(client);
      this.#progress.finished++;
      this.#settle();
    }, this.#done.reject);
  }

  #client(index: number, due: number): Client {
    const { plan, targets, random, run } = this.#options;
    const target = targets[index % targets.length]!;
    const { hostname, port } = target;
    const { text } = plan.client(index);
    const remote = this.#remotes[index % targets.length]!;
    const observer = new ClientRecorder({ client: index, due, remote }, this.#recorder);
    const network = this.#networkOf(index);
    if (this.#relayClients !== undefined) {
      const replyDelay = plan.replyDelayOf(index);
      return new RelayClient({ hostname, port, network, text, replyDelay, observer }, this.#relayClients);
    }
    if (this.#scenario !== undefined) return this.#scenario.client(index, { due, target, network, observer });
    const limits = this.#limits;
    const { maxLine = DEFAULT_MAX_LINE } = limits;
    const shared = { hostname, port, network, clock: this.#clock, random, text, observer };
    const exchange = { ...shared, timeout: plan.timeout, limits };
    if (run.protocol === "hello") {
      return new RequestReplyClient({ ...exchange, requestReply: httpRequest(text, remote) });
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

  /** Measures how late the event loop runs a timer: this process adds that to every latency that it measures. */
  #sampleLag(): void {
    const due = this.#clock.now() + LAG_SAMPLE_MS;
    this.#sampling = this.#clock.after(LAG_SAMPLE_MS, () => {
      const lag = this.#clock.now() - due;
      this.#loopLag.record(lag);
      this.#recent = { samples: this.#recent.samples + 1, lag: Math.max(this.#recent.lag, lag) };
      if (this.#recent.samples >= LOAD_SAMPLES) this.#readLoad();
      this.#sampleLag();
    });
  }

  #readLoad(): void {
    const load = this.#options.meter?.take();
    if (load !== undefined && this.#recent.lag > (this.#worst?.lag ?? -1)) {
      this.#worst = { lag: this.#recent.lag, load };
    }
    this.#recent = { samples: 0, lag: -1 };
  }

  #settle(): void {
    if (this.#next >= this.#indices.length && this.#running.size === 0) this.#done.resolve();
  }

  #record(event: HistoryEvent): void {
    this.#options.record(event);
  }

  /** ms since the run began. */
  #now(): number {
    return this.#clock.now() - this.#options.begin;
  }
}
