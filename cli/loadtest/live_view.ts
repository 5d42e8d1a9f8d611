/** Shows a load test while it runs. @module */
import { type Progress, type ProgressOptions, startProgress } from "../terminal/progress.ts";
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
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
  options: Omit<ProgressOptions, "total">,
): Promise<LiveView> {
  return new Watch(await startProgress({ ...options, total: clients }));
}

/** Time over which acks per second are averaged, in ms, because the values between two updates vary too much. */
const RATE_SPAN = 2000;

class Watch implements LiveView {
  readonly #progress: Progress;
  /** Samples within the span, the oldest first. */
  readonly #seen: Pick<RunProgress, "elapsed" | "acknowledged">[] = [{ elapsed: 0, acknowledged: 0 }];

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  update(now: RunProgress): void {
    const seen = this.#seen;
    seen.push({ elapsed: now.elapsed, acknowledged: now.acknowledged });
    while (seen.length > 2 && (seen[1]?.elapsed ?? 0) <= now.elapsed - RATE_SPAN) seen.shift();
    const then = seen[0] ?? now;
    const seconds = (now.elapsed - then.elapsed) / 1000;
    const rate = seconds > 0 ? (now.acknowledged - then.acknowledged) / seconds : 0;
    this.#progress.update(now.finished, describeProgress(now, rate));
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]();
  }
}

/** Formats the metrics next to the bar, the most important first, because a narrow terminal truncates the line. */
function describeProgress(progress: RunProgress, acksPerSecond: number): string {
  const { started, acknowledged, open, resent } = progress;
  const latency = new LatencyHistogram();
  latency.mergeEncoded(progress.latency);
  const { p50, p99 } = latency.percentiles();
  return [
    ...(progress.pace?.paused ? ["paused"] : []),
    `${acknowledged} acked at ${Math.round(acksPerSecond)}/s`,
    `p50 ${shortMs(p50)} p99 ${shortMs(p99)}`,
    `${open} open`,
    `${resent} resent`,
    `${started} started`,
  ].join(", ");
}

/** Formats two digits, which is enough for a changing value. */
function shortMs(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 1000 ? `${Number(ms.toPrecision(2))}ms` : `${Number((ms / 1000).toPrecision(2))}s`;
}
