/** Shows a load test while it runs. @module */
import { type Progress, type ProgressOptions, startProgress } from "../terminal/progress.ts";
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
import { formatTimes } from "../../loadtest/ledger/failure_reasons.ts";
import type { RunProgress } from "../../loadtest/run_plan.ts";

/** A load test on display. Disposing of it leaves the last state on the screen. */
export interface LiveView extends Disposable {
  update(progress: RunProgress): void;
}

/**
 * Starts to show a load test: a bar on a terminal, otherwise a line at intervals.
 *
 * @param clients Number of clients.
 * @param options Options of the progress; the total is `clients`.
 */
export async function startLiveView(
  clients: number,
  { warn, scenario = false, ...options }: Omit<ProgressOptions, "total"> & {
    /** Whether clients get replies instead of oks, and do not send again. Default `false`. */
    readonly scenario?: boolean;
    /** Receives what should not wait for the end of the run. */
    readonly warn: (text: string) => void;
  },
): Promise<LiveView> {
  return new Watch(await startProgress({ ...options, total: clients }), { warn, scenario });
}

/** Time over which acks per second are averaged, in ms, because the values between two updates vary too much. */
const RATE_SPAN = 2000;

interface WatchOptions {
  readonly warn: (text: string) => void;
  readonly scenario: boolean;
}

class Watch implements LiveView {
  readonly #progress: Progress;
  /** Samples within the span, the oldest first. */
  readonly #seen: Pick<RunProgress, "elapsed" | "acknowledged">[] = [{ elapsed: 0, acknowledged: 0 }];

  readonly #options: WatchOptions;
  #warned = false;
  readonly #reported = new Set<string>();

  constructor(progress: Progress, options: WatchOptions) {
    this.#progress = progress;
    this.#options = options;
  }

  update(now: RunProgress): void {
    this.#warnOfRefusals(now);
    this.#warnOfGenerators(now);
    const seen = this.#seen;
    seen.push({ elapsed: now.elapsed, acknowledged: now.acknowledged });
    while (seen.length > 2 && (seen[1]?.elapsed ?? 0) <= now.elapsed - RATE_SPAN) seen.shift();
    const then = seen[0] ?? now;
    const seconds = (now.elapsed - then.elapsed) / 1000;
    const rate = seconds > 0 ? (now.acknowledged - then.acknowledged) / seconds : 0;
    this.#progress.update(now.finished, describeProgress(now, { rate, ...this.#options }));
  }

  /** Warns once: clients try again, and the count is next to the bar. */
  #warnOfRefusals({ refused: { count, why } }: RunProgress): void {
    if (this.#warned || count === 0) return;
    this.#warned = true;
    this.#progress.clear();
    this.#options.warn(`Could not connect ${formatTimes(count)} so far: ${why}`);
  }

  /** Warns once of each generator that ends too early, or is silent. */
  #warnOfGenerators({ warnings }: RunProgress): void {
    for (const text of warnings) {
      if (this.#reported.has(text)) continue;
      this.#reported.add(text);
      this.#progress.clear();
      this.#options.warn(text);
    }
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]();
  }
}

/** Formats the metrics next to the bar, the most important first, because a narrow terminal truncates the line. */
function describeProgress(
  progress: RunProgress,
  { rate, scenario }: { readonly rate: number; readonly scenario: boolean },
): string {
  const { started, acknowledged, open, resent, refused } = progress;
  const latency = new LatencyHistogram();
  latency.mergeEncoded(progress.latency);
  const { p50, p99 } = latency.percentiles();
  return [
    ...(progress.pace?.paused ? ["paused"] : []),
    ...(refused.count === 0 ? [] : [`${refused.count} failed to connect`]),
    `${acknowledged} ${scenario ? "answered" : "acked"} at ${Math.round(rate)}/s`,
    `p50 ${shortMs(p50)} p99 ${shortMs(p99)}`,
    `${open} open`,
    ...(scenario ? [] : [`${resent} resent`]),
    `${started} started`,
  ].join(", ");
}

/** Formats two digits, which is enough for a changing value. */
function shortMs(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 1000 ? `${Number(ms.toPrecision(2))}ms` : `${Number((ms / 1000).toPrecision(2))}s`;
}
