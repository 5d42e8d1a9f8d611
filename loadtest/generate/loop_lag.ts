/** Measures how late a process runs its timers. @module */
import type { Clock, Timer } from "../../internal/clock.ts";
import { LatencyHistogram } from "../metrics/latency.ts";
import type { ThreadLoad, ThreadLoadMeter } from "../process/thread_load.ts";

/** Options for {@linkcode LoopLag}. */
export interface LoopLagOptions {
  readonly clock: Clock;
  /** Time between two timers, in ms. */
  readonly interval: number;
  /** Measures what the process does. Default: not measured. */
  readonly meter: Pick<ThreadLoadMeter, "take"> | undefined;
}

/** Samples after which the load of the process is read, a second. */
const LOAD_SAMPLES = 50;

/** Measures how late the event loop runs a timer: the process adds that to every latency that it measures. */
export class LoopLag {
  readonly #options: LoopLagOptions;
  readonly #histogram = new LatencyHistogram();
  #sampling: Timer | undefined;
  /** The highest lag since the load was last read, and the load when the lag was highest. */
  #recent = { samples: 0, lag: -1 };
  #worst: { readonly lag: number; readonly load: ThreadLoad } | undefined;

  constructor(options: LoopLagOptions) {
    this.#options = options;
  }

  /** The lag at the 99th percentile, in ms; 0 if nothing was measured. */
  get percentile99(): number {
    return this.#histogram.percentile(99) ?? 0;
  }

  /** Starts, or goes on. */
  start(): void {
    const { clock, interval } = this.#options;
    const due = clock.now() + interval;
    this.#sampling = clock.after(interval, () => {
      const lag = clock.now() - due;
      this.#histogram.record(lag);
      this.#recent = { samples: this.#recent.samples + 1, lag: Math.max(this.#recent.lag, lag) };
      if (this.#recent.samples >= LOAD_SAMPLES) this.#readLoad();
      this.start();
    });
  }

  /** Stops, and returns the load of the process when the lag was highest, if it was measured. */
  stop(): ThreadLoad | undefined {
    this.#sampling?.cancel();
    // A run of less than a second has no other reading.
    if (this.#worst === undefined || this.#recent.lag > this.#worst.lag) this.#readLoad();
    return this.#worst?.load;
  }

  #readLoad(): void {
    const load = this.#options.meter?.take();
    if (load !== undefined && this.#recent.lag > (this.#worst?.lag ?? -1)) {
      this.#worst = { lag: this.#recent.lag, load };
    }
    this.#recent = { samples: 0, lag: -1 };
  }
}
