/** Starts the messages of an open model at their instants, on whichever connections the plan has for them. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import type { Pace } from "../pace/pace.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import type { ShapeEvent } from "./events.ts";

/** The scheduled messages of a client. */
export interface MessageClient {
  /** Starts the message that is due at `due`, in ms from the start of the run. */
  message(due: number): void;
  /** Messages that have not started. */
  readonly notSent: number;
}

/** Options for {@linkcode MessageSchedule}. */
export interface MessageScheduleOptions {
  /** Instants of all messages of the run, in ms from its start. Message k goes to client k modulo `clients`. */
  readonly instants: Float64Array;
  readonly clients: number;
  readonly part: number;
  readonly parts: number;
  readonly clock: Clock;
  readonly begin: number;
  readonly pace: Pace;
}

/** The schedule of the clients of one process. */
export class MessageSchedule {
  readonly #options: MessageScheduleOptions;
  readonly #clients = new Map<number, MessageClient>();
  readonly #lag = new LatencyHistogram();
  #next = 0;
  #planned = 0;
  #heldBack = 0;
  /** Instants of messages whose client has not started. */
  readonly #early = new Map<number, number[]>();
  #timer: Timer | undefined;

  constructor(options: MessageScheduleOptions) {
    this.#options = options;
  }

  /** Returns the number of messages of client `index`. */
  countFor(index: number): number {
    const { instants, clients } = this.#options;
    return Math.max(0, Math.ceil((instants.length - index) / clients));
  }

  /** Adds the client that gets the messages of `index`, and gives it those that are due already. */
  add(index: number, client: MessageClient): void {
    this.#clients.set(index, client);
    for (const due of this.#early.get(index) ?? []) client.message(due);
    this.#early.delete(index);
  }

  heldBack(): void {
    this.#heldBack++;
  }

  /** Starts every message that is due, and waits for the next. */
  start(): void {
    const { instants, clients, part, parts, clock, begin, pace } = this.#options;
    this.#timer?.cancel();
    const now = clock.now() - begin;
    for (; this.#next < instants.length; this.#next++) {
      const due = pace.instantOf(instants[this.#next]!);
      if (due > now) {
        if (due < Infinity) this.#timer = clock.after(due - now, () => this.start());
        return;
      }
      const index = this.#next % clients;
      if (index % parts !== part) continue;
      this.#planned++;
      this.#lag.record(now - due);
      const client = this.#clients.get(index);
      if (client !== undefined) client.message(due);
      else this.#early.set(index, [...this.#early.get(index) ?? [], due]);
    }
  }

  /** Starts no more messages. Returns how it went. */
  stop(): ShapeEvent {
    this.#timer?.cancel();
    const { instants, clients, part, parts } = this.#options;
    let notReached = 0;
    for (; this.#next < instants.length; this.#next++) {
      if ((this.#next % clients) % parts === part) notReached++;
    }
    const waiting = this.#clients.values().reduce((sum, { notSent }) => sum + notSent, 0);
    const early = this.#early.values().reduce((sum, { length }) => sum + length, 0);
    return {
      event: "shape",
      process: this.#options.part,
      lag: this.#lag.percentile(99) ?? 0,
      planned: this.#planned + notReached,
      heldBack: this.#heldBack,
      notSent: notReached + early + waiting,
    };
  }
}
