/** Measures the time of this thread: running, waiting for a processor, and collecting garbage. @module */
import * as v8 from "node:v8";
import { nullIfUnknown } from "./process_usage.ts";

/** Shares of a stretch of time, from 0 to 1; `null` if unknown. */
export interface ThreadLoad {
  /** The thread ran. */
  readonly cpu: number | null;
  /** It was ready to run, and other threads had the processors. */
  readonly waiting: number | null;
  /** It collected garbage, which is a part of `cpu`. */
  readonly garbage: number | null;
}

interface GcProfiler {
  start(): void;
  /** The cost of each collection is in ns. */
  stop(): { readonly statistics: readonly { readonly cost: number }[] } | undefined;
}

const NS_PER_MS = 1e6;

/** Measures the load of the thread that creates it. */
export class ThreadLoadMeter implements Disposable {
  #since = performance.now();
  #times = threadTimes();
  #gc = startProfiler();

  /** Returns the load since the last call, or since the meter was created. */
  take(): ThreadLoad {
    const now = performance.now();
    const times = threadTimes();
    const collected = stopProfiler(this.#gc);
    const share = (ms: number | null): number | null => {
      return ms === null || now <= this.#since ? null : Math.min(1, ms / (now - this.#since));
    };
    const [ran, waited] = times === null || this.#times === null
      ? [null, null]
      : [times.ran - this.#times.ran, times.waited - this.#times.waited];
    const load = { cpu: share(ran), waiting: share(waited), garbage: share(collected) };
    // Stopped and started again, because it keeps a record of each collection.
    this.#gc = startProfiler();
    this.#times = times;
    this.#since = now;
    return load;
  }

  [Symbol.dispose](): void {
    stopProfiler(this.#gc);
    this.#gc = undefined;
  }
}

/** Returns how long this thread ran, and waited for a processor, in ms; `null` if the OS does not say. */
function threadTimes(): { readonly ran: number; readonly waited: number } | null {
  try {
    const [ran = NaN, waited = NaN] = Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ").map(
      Number,
    );
    return Number.isNaN(ran + waited) ? null : { ran: ran / NS_PER_MS, waited: waited / NS_PER_MS };
  } catch (error) {
    return nullIfUnknown(error);
  }
}

function startProfiler(): GcProfiler | undefined {
  const Profiler: unknown = Reflect.get(v8, "GCProfiler");
  if (typeof Profiler !== "function") return undefined;
  const profiler = Reflect.construct(Profiler, []) as GcProfiler;
  profiler.start();
  return profiler;
}

function stopProfiler(profiler: GcProfiler | undefined): number | null {
  const statistics = profiler?.stop()?.statistics;
  return statistics === undefined ? null : statistics.reduce((sum, { cost }) => sum + cost / NS_PER_MS, 0);
}
