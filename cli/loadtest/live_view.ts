/** What is seen of a load test while it runs. @module */
import { type Progress, type ProgressOptions, startProgress } from "../terminal/progress.ts";
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
import type { RunProgress } from "../../loadtest/run_plan.ts";

/** A load test that is being watched. Disposing of it leaves the last state on the screen. */
export interface LiveView extends Disposable {
  update(progress: RunProgress): void;
}

/**
 * Begins to show a load test of so many clients: a bar on a terminal, a line now and then elsewhere.
 *
 * @param clients How many there are.
 * @param options As for any progress; the total is `clients`.
 */
export async function startLiveView(
  clients: number,
  options: Omit<ProgressOptions, "total">,
): Promise<LiveView> {
  return new Watch(await startProgress({ ...options, total: clients }));
}

/** Acks per second are reckoned over this, in ms: what they were between two looks jumps about. */
const RATE_SPAN = 2000;

class Watch implements LiveView {
  readonly #progress: Progress;
  /** What was seen within the span, the oldest first. */
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

/** The figures beside the bar; the most telling first, since a narrow terminal cuts the line. */
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

/** Two digits, which is what a figure is worth that changes while one looks. */
function shortMs(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 1000 ? `${Number(ms.toPrecision(2))}ms` : `${Number((ms / 1000).toPrecision(2))}s`;
}
