/** Event-loop lag: the delay of timers. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { DurationHistogram } from "../../internal/duration_histogram.ts";

const INTERVAL = 50;

/** Measures event-loop lag, 20 times per second, while it runs. */
export class EventLoopLag {
  readonly durations: DurationHistogram;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock, durations: DurationHistogram = new DurationHistogram()) {
    this.#clock = clock;
    this.durations = durations;
  }

  start(): void {
    const due = this.#clock.now() + INTERVAL;
    this.#timer = this.#clock.after(INTERVAL, () => {
      this.durations.record(this.#clock.now() - due);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
