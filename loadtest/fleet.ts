/** Runs the clients of a plan, or a part of them, when the plan says. @module */
import type { RelayClientObserver } from "../relay/relay_client.ts";
import { RelayClient } from "../relay/relay_client.ts";
import { describeCloseReason } from "../socket/errors.ts";
import {
  type Address,
  type Clock,
  formatAddress,
  type Network,
  type Random,
  type Timer,
} from "../socket/network.ts";
import type { HistoryEvent, MessageName } from "./history.ts";
import { plannedEvent } from "./history.ts";
import { LatencyHistogram } from "./latency.ts";
import type { Plan } from "./plan.ts";

/** What a {@linkcode Fleet} needs. */
export interface FleetOptions {
  readonly plan: Plan;
  /** Which part of how many. Default: all. */
  readonly part?: number;
  readonly parts?: number;
  /** Addresses of the server; the clients are spread over them. */
  readonly targets: readonly Address[];
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** The time on the clock at which the run begins, ms. */
  readonly begin: number;
  /** Gets every event, as it happens. */
  readonly record: (event: HistoryEvent) => void;
}

/** How far a fleet has come. */
export interface FleetProgress {
  readonly started: number;
  readonly acknowledged: number;
  /** Connections that stand now. */
  readonly open: number;
  readonly resent: number;
  /** Clients that are done. */
  readonly finished: number;
  /** The times from planned start to ok so far: a `LatencyHistogram`, encoded. */
  readonly latency: string;
}

// Often enough to see a stall of a few hundredths of a second, seldom enough to cost nothing.
const LAG_SAMPLE_MS = 20;

/** The clients of one process. Starts are planned beforehand and wait for nothing. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #clock: Clock;
  readonly #indices: readonly number[];
  readonly #running = new Set<RelayClient>();
  readonly #loopLag = new LatencyHistogram();
  readonly #latency = new LatencyHistogram();
  readonly #done = Promise.withResolvers<void>();
  readonly #progress = { started: 0, acknowledged: 0, open: 0, resent: 0, finished: 0 };
  #next = 0;
  #stopped = false;
  #starting: Timer | undefined;
  #sampling: Timer | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#indices = [...options.plan.slice(options.part ?? 0, options.parts ?? 1)];
  }

  get progress(): FleetProgress {
    return { ...this.#progress, latency: this.#latency.encode() };
  }

  /** Runs every client to its end; once only. */
  async run(): Promise<void> {
    for (const index of this.#indices) this.#record(plannedEvent(this.#options.plan.client(index)));
    this.#sampleLag();
    this.#startDue();
    try {
      await this.#done.promise;
    } finally {
      this.#starting?.cancel();
      this.#sampling?.cancel();
    }
    const process = this.#options.part ?? 0;
    this.#record({ event: "generator", process, loopLag: this.#loopLag.percentile(99) ?? 0 });
  }

  /** Starts no more clients, and stops those that are not done: they stay as they are. */
  stop(): void {
    this.#stopped = true;
    this.#starting?.cancel();
    this.#next = this.#indices.length;
    for (const client of this.#running) client.stop();
    this.#settle();
  }

  /** Starts every client that is due: a late timer starts several, and the ledger sees how late each of them is. */
  #startDue(): void {
    const now = this.#now();
    for (let index = this.#indices[this.#next]; index !== undefined; index = this.#indices[++this.#next]) {
      const wait = this.#options.plan.startAt(index) - now;
      if (wait > 0) {
        this.#starting = this.#clock.after(wait, () => this.#startDue());
        return;
      }
      this.#start(index);
    }
    this.#settle();
  }

  #start(index: number): void {
    const { plan, targets, network, random } = this.#options;
    const target = targets[index % targets.length]!;
    const client = new RelayClient({
      hostname: target.hostname,
      port: target.port,
      network,
      clock: this.#clock,
      random,
      text: plan.client(index).text,
      timeout: plan.timeout,
      linger: plan.linger,
      replyDelay: plan.answering(index),
      observer: this.#observe(index, target),
    });
    this.#progress.started++;
    this.#record({ event: "start", client: index, at: this.#now() });
    this.#running.add(client);
    client.run().then(() => {
      this.#running.delete(client);
      this.#progress.finished++;
      this.#settle();
    }, this.#done.reject);
  }

  #observe(client: number, target: Address): RelayClientObserver {
    const remote = formatAddress(target);
    let dialledAt = 0;
    let sends = 0;
    return {
      dialling: () => void (dialledAt = this.#clock.now()),
      connected: (connection) => {
        this.#progress.open++;
        const took = this.#clock.now() - dialledAt;
        const local = formatAddress(connection.local);
        this.#record({ event: "connect", client, at: this.#now(), took, local, remote });
      },
      notConnected: (error) =>
        this.#record({ event: "refused", client, at: this.#now(), error: error.message }),
      sent: () => {
        if (sends++ > 0) this.#progress.resent++;
        this.#record({ event: "send", client, at: this.#now() });
      },
      received: (_, text) => this.#recordMessage("receive", client, text),
      answered: (_, text) => this.#recordMessage("answer", client, text),
      acknowledged: (_, text, own) => {
        if (own) this.#countOk(client);
        this.#recordMessage("ack", client, text);
      },
      closed: (_, reason) => {
        this.#progress.open--;
        const at = this.#now();
        if (reason.type === "natural") {
          return this.#record({ event: "close", client, at, reason: reason.type });
        }
        const type = this.#stopped && reason.type === "local" ? "stopped" : reason.type;
        this.#record({ event: "close", client, at, reason: type, detail: describeCloseReason(reason) });
      },
    };
  }

  #countOk(client: number): void {
    this.#progress.acknowledged++;
    this.#latency.record(this.#now() - this.#options.plan.startAt(client));
  }

  #recordMessage(event: "receive" | "answer" | "ack", client: number, text: string): void {
    const message: MessageName = this.#options.plan.find(text) ?? text;
    this.#record({ event, client, at: this.#now(), message });
  }

  /** How late the event loop runs a timer: what this process adds to every latency that it measures. */
  #sampleLag(): void {
    const due = this.#clock.now() + LAG_SAMPLE_MS;
    this.#sampling = this.#clock.after(LAG_SAMPLE_MS, () => {
      this.#loopLag.record(this.#clock.now() - due);
      this.#sampleLag();
    });
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
