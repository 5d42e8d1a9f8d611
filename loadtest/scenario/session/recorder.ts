/** Records the events of a session: answered requests of one read that follow each other are one event. Pure. @module */
import type { AskEvent, ScenarioEvent } from "../events.ts";
import type { Batch } from "./batch.ts";

/** Options for {@linkcode SessionRecorder}. */
export interface SessionRecorderOptions {
  readonly client: number;
  readonly record: (event: ScenarioEvent) => void;
  /** Receives the time from due to reply, in ms, of requests that were answered as expected, and their number. */
  readonly onAnswered: (ms: number, count: number) => void;
}

/**
 * Records events, and collects answered requests that share everything but their number. Replies mostly arrive many at a
 * time, and an event for each of them would be a fifth of what a request costs.
 */
export class SessionRecorder<Frame> {
  readonly #options: SessionRecorderOptions;
  #ask = 0;
  #count = 0;
  #step = "";
  #due = 0;
  #sent = 0;
  #at = 0;

  constructor(options: SessionRecorderOptions) {
    this.#options = options;
  }

  /** Collects a request that was answered `at`, in ms from the start of the run. */
  answered(batch: Batch<Frame>, index: number, at: number): void {
    const ask = batch.number + index;
    const step = batch.stepOf(index);
    const { due, sent } = batch;
    const follows = this.#count > 0 && ask === this.#ask + this.#count && step === this.#step &&
      sent === this.#sent && due === this.#due && at === this.#at;
    if (follows) {
      this.#count++;
      return;
    }
    this.flush();
    this.#ask = ask;
    this.#count = 1;
    this.#step = step;
    this.#due = due;
    this.#sent = sent;
    this.#at = at;
  }

  /** Records an event after the answers before it. */
  record(event: ScenarioEvent): void {
    this.flush();
    this.#options.record(event);
  }

  /** Records the answers that were collected. Must be called at the end of a read. */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const { client, record, onAnswered } = this.#options;
    const at = this.#at;
    const due = this.#due;
    const event: AskEvent = {
      event: "ask",
      client,
      at,
      ask: this.#ask,
      step: this.#step,
      due,
      sent: this.#sent,
    };
    record(count === 1 ? event : { ...event, count });
    onAnswered(at - due, count);
  }
}
