/** Charts of durations: percentile curves, histogram, and reply delays as requested and as measured. Pure. @module */
import { plural } from "../../internal/plural.ts";
import type { LatencyHistogram } from "../metrics/latency.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { addedByRelay, type Measurements } from "../metrics/measure.ts";
import type { Plan } from "../plan/plan.ts";
import { formatReplyDelay } from "../plan/reply_delay.ts";
import { type Bins, countInBins, evenBins, logBins } from "./bins.ts";
import type { Chart } from "./chart.ts";
import { formatCount, formatMs } from "./number.ts";

/** The least duration that a logarithmic axis shows, in ms: the resolution of durations, one microsecond. */
const FINEST = 0.001;
const BINS_PER_DECADE = 15;
const EVEN_BINS = 60;

/** Latency by percentile. The further right, the fewer clients are affected. */
export function percentileChart({ fromPlanned, total, relay }: Measurements): Chart {
  const percentiles = total.curve().map(({ percentile }) => Math.min(percentile, lastPercentile(total)));
  const curve = (of: LatencyHistogram) => of.curve().map(({ ms }) => Math.max(FINEST, ms));
  return {
    id: "percentiles",
    title: "Time to the ok, by percentile",
    description:
      `Half of the oks came within ${
        formatMs(fromPlanned.percentile(50))
      } of the planned start, 99 % within ` +
      `${formatMs(fromPlanned.percentile(99))}, all within ${formatMs(fromPlanned.max)}. ` +
      `Without the time for which receivers held the messages it is ${formatMs(relay.percentile(50))}, ` +
      `${formatMs(relay.percentile(99))} and ${formatMs(relay.max)}.`,
    x: { scale: "percentile", label: "Percentile", values: percentiles },
    y: { label: "within", unit: "ms", log: true },
    series: [
      { label: "from planned start", values: curve(fromPlanned), color: 1, style: "line" },
      { label: "from actual start", values: curve(total), color: 2, style: "line", dashed: true },
      { label: "added by the relay", values: curve(relay), color: 3, style: "line" },
    ],
  };
}

/** Returns the position of the maximum, because 100 % would be infinitely far away on the axis. */
function lastPercentile({ count }: LatencyHistogram): number {
  return 100 * (1 - 1 / (2 * Math.max(1, count)));
}

/** Histogram of latencies. */
export function histogramChart(ledger: Ledger): Chart {
  const { plannedAt, ackedAt } = ledger.clients.columns;
  const fromPlanned = ackedAt.map((at, row) => Math.max(FINEST, at - (plannedAt[row] ?? NaN)));
  const relay = addedByRelay(ledger).map((ms) => Math.max(FINEST, ms));
  const bins = logBins(
    { from: least(fromPlanned, relay), to: greatest(fromPlanned, relay) },
    BINS_PER_DECADE,
  );
  return {
    id: "histogram",
    title: "Time to the ok, histogram",
    description: `Number of oks by latency, in ${BINS_PER_DECADE} bins per power of ten; ` +
      `the most frequent time from the planned start was about ${formatMs(mode(bins, fromPlanned))}.`,
    x: { scale: "log-duration", label: "From", values: bins.from },
    y: { label: "oks", unit: "number" },
    series: [
      { label: "from planned start", values: countInBins(bins, fromPlanned), color: 1, style: "bars" },
      { label: "added by the relay", values: countInBins(bins, relay), color: 3, style: "step" },
    ],
  };
}

/** Planned and actual hold times of messages; `undefined` without a reply delay. */
export function holdChart(plan: Plan, ledger: Ledger): Chart | undefined {
  const { asked, measured } = holds(plan, ledger);
  if (asked.length === 0 || plan.longestReplyDelay === 0) return undefined;
  const bins = evenBins(1.02 * Math.max(greatest(asked), greatest(measured)), EVEN_BINS);
  const late = measured.map((ms, index) => ms - (asked[index] ?? NaN)).sort((a, b) => a - b);
  const lateBy = (share: number): string =>
    formatMs(Math.max(0, late[Math.ceil(share * late.length) - 1] ?? NaN));
  return {
    id: "holds",
    title: "Reply delay, requested and measured",
    description:
      `${formatReplyDelay(plan.options.replyDelay)} was asked for, and ${
        plural(asked.length, "message", { format: formatCount })
      } ` +
      `answered, half of them at most ${lateBy(0.5)} later than asked, 99 % at most ${
        lateBy(0.99)
      }, all at most ${lateBy(1)}.`,
    x: { scale: "duration", label: "From", values: bins.from },
    y: { label: "messages", unit: "number" },
    series: [
      { label: "measured", values: countInBins(bins, measured), color: 1, style: "bars" },
      { label: "requested", values: countInBins(bins, asked), color: 2, style: "step" },
    ],
  };
}

const MESSAGES = { one: "message was", many: "messages were" };

/** A note on what the charts do not show for a run without a reply delay. */
export function describeHolds({ held }: Measurements): string {
  return `No reply delay was asked for. ${
    plural(held.count, MESSAGES, { format: formatCount })
  } answered after ` +
    `${formatMs(held.percentile(50))} at the median, ${formatMs(held.max)} at most.`;
}

function holds(plan: Plan, { deliveries }: Ledger): { asked: Float64Array; measured: Float64Array } {
  const asked: number[] = [];
  const measured: number[] = [];
  for (let row = 0; row < deliveries.length; row++) {
    if (!deliveries.isAnswered(row)) continue;
    asked.push(plan.replyDelay(deliveries.message.at(row)));
    measured.push(deliveries.endedAt.at(row) - deliveries.receivedAt.at(row));
  }
  return { asked: Float64Array.from(asked), measured: Float64Array.from(measured) };
}

function mode(bins: Bins, durations: Float64Array): number {
  const counts = countInBins(bins, durations);
  return bins.from[counts.indexOf(Math.max(...counts))] ?? NaN;
}

function least(...columns: readonly Float64Array[]): number {
  return Math.min(
    ...columns.map((column) => column.reduce((low, value) => (value < low ? value : low), Infinity)),
  );
}

function greatest(...columns: readonly Float64Array[]): number {
  return Math.max(
    ...columns.map((column) => column.reduce((high, value) => (value > high ? value : high), FINEST)),
  );
}
