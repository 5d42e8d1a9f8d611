/** A line of figures now and then: how much an echo has done. @module */
import { plural } from "../../internal/plural.ts";
import type { Clock, Timer } from "../../internal/clock.ts";

/** What an {@linkcode EchoCounter} needs. */
export interface EchoCounterOptions {
  /** Messages so far. */
  count(): number;
  show(line: string): void;
  readonly clock: Clock;
  /** Time between two lines in ms. Default 5000. */
  readonly interval?: number;
}

const INTERVAL = 5000;

/** Shows messages, seconds and messages a second whenever an interval has passed that had any. */
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

  /** Shows what has not been shown, and ends. */
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
    // The first turn of a clock may have no length at all.
    const rate = seconds > 0 ? `, ${Math.round(fresh / seconds)} msg/s` : "";
    show(`${plural(fresh, "message")} in ${seconds.toFixed(1)} s${rate}; ${messages} in all`);
  }
}
