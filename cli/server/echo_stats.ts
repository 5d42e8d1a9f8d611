/** Prints the throughput of an echo service at intervals. @module */
import { plural } from "../../internal/plural.ts";
import type { Clock, Timer } from "../../internal/clock.ts";

/** Options of an {@linkcode EchoCounter}. */
export interface EchoCounterOptions {
  /** Messages so far. */
  count(): number;
  show(line: string): void;
  readonly clock: Clock;
  /** Time between two lines in ms. Default: 5,000. */
  readonly interval?: number;
}

const INTERVAL = 5000;

/** Prints messages, seconds, and messages per second after each interval with messages. */
export class EchoCounter {
  readonly #options: EchoCounterOptions;
  #since: number;
  #shown = 0;
  #timer: Timer;

  constructor(options: EchoCounterOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.#timer = this.#schedule();
  }

  /** Prints the remaining count, and ends. */
  stop(): void {
    this.#timer.cancel();
    this.#show();
  }

  #schedule(): Timer {
    const { clock, interval = INTERVAL } = this.#options;
    return clock.after(interval, () => {
      this.#show();
      this.#timer = this.#schedule();
    });
  }

  #show(): void {
    const { count, show, clock } = this.#options;
    const now = clock.now();
    const messages = count();
    const fresh = messages - this.#shown;
    const seconds = (now - this.#since) / 1000;
    this.#shown = messages;
    this.#since = now;
    if (fresh === 0) return;
    // The first interval may have a length of 0.
    const rate = seconds > 0 ? `, ${Math.round(fresh / seconds)} msg/s` : "";
    show(`${plural(fresh, "message")} in ${seconds.toFixed(1)} s${rate}; ${messages} in total`);
  }
}
