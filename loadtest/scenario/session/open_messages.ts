/** The messages of an open model: they start at their instants, however many are in flight. @module */
import type { MessageClient } from "../message_schedule.ts";
import type { MessageOptions } from "./closed_messages.ts";
import { Context } from "./context.ts";

/** Options for {@linkcode OpenMessages}. */
export interface OpenMessageOptions extends MessageOptions {
  /** Number of messages that the schedule has for this client. */
  readonly scheduled: number;
  /** The lag limit, in ms. */
  readonly maxLag: number;
  /** Called for a message that waited longer than the lag limit because too many were in flight. */
  readonly onHeldBack: () => void;
}

/** The scheduled messages of one client. */
export class OpenMessages implements MessageClient {
  readonly #options: OpenMessageOptions;
  /** Instants of messages that wait for the session, or for room. */
  readonly #waiting: number[] = [];
  #ready = false;
  #inFlight = 0;
  #done = 0;
  #ended = false;
  #allDone: (() => void) | undefined;

  constructor(options: OpenMessageOptions) {
    this.#options = options;
  }

  /** Starts the message that is due at `due`, or as soon as the session and `inFlight` allow. */
  message(due: number): void {
    if (!this.#ready || this.#inFlight >= (this.#options.load.inFlight ?? Infinity)) this.#waiting.push(due);
    else void this.#run(due);
  }

  get notSent(): number {
    return this.#waiting.length;
  }

  /**
   * Starts the messages that wait, and waits until all are over.
   *
   * @returns Whether all were sent; otherwise, the connection has ended.
   */
  async run(): Promise<boolean> {
    this.#ready = true;
    const waiting = this.#waiting.splice(0);
    for (const due of waiting) this.message(due);
    const { scheduled } = this.#options;
    if (this.#done < scheduled && !this.#ended) await new Promise<void>((resolve) => this.#allDone = resolve);
    return this.#done === scheduled;
  }

  /** All messages are over, or the connection has ended, so that no more will start. */
  end(): void {
    this.#ended = true;
    this.#allDone?.();
  }

  async #run(due: number): Promise<void> {
    const { facts, scenario, scheduled, maxLag, onError, onHeldBack } = this.#options;
    const { core } = facts;
    if (core.ended) {
      this.#waiting.push(due);
      this.end();
      return;
    }
    this.#inFlight++;
    try {
      await scenario.message?.(new Context(facts, due));
    } catch (error) {
      onError(error);
    }
    this.#inFlight--;
    if (++this.#done === scheduled) this.end();
    const next = this.#waiting[0];
    if (next === undefined || core.ended) return;
    this.#waiting.shift();
    if (core.now() - next > maxLag) onHeldBack();
    void this.#run(next);
  }
}
