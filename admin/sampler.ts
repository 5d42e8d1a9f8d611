/** Samples of a running program, once per second, for the page. @module */
import type { Clock, Timer } from "../internal/clock.ts";
import type { LiveFeed } from "./target.ts";

const INTERVAL = 1000;
/** Samples kept: five minutes. */
const KEPT = 300;

/** Takes a sample once per second while it runs, and keeps the last five minutes of them. */
export class Sampler<Sample extends object> implements LiveFeed {
  readonly history: Sample[] = [];
  readonly #take: () => Sample;
  readonly #keep: (sample: Sample) => Sample;
  readonly #clock: Clock;
  readonly #subscribers = new Set<(sample: Sample) => void>();
  #timer: Timer | undefined;

  /**
   * @param options.keep Returns what stays of a sample when the next one has been taken. Default: all of it.
   */
  constructor(
    take: () => Sample,
    clock: Clock,
    { keep = (sample) => sample }: { readonly keep?: (sample: Sample) => Sample } = {},
  ) {
    this.#take = take;
    this.#keep = keep;
    this.#clock = clock;
  }

  start(): void {
    this.#timer = this.#clock.after(INTERVAL, () => {
      this.start();
      this.sample();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Takes a sample now. */
  sample(): void {
    const sample = this.#take();
    const last = this.history.pop();
    if (last !== undefined) this.history.push(this.#keep(last));
    this.history.push(sample);
    if (this.history.length > KEPT) this.history.shift();
    for (const subscriber of this.#subscribers) subscriber(sample);
  }

  subscribe(take: (sample: Sample) => void): Disposable {
    this.#subscribers.add(take);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(take) };
  }
}
