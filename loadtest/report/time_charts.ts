/** Charts of a run over time. Pure. @module */
import { plural } from "../../internal/plural.ts";
import { maxLagOf } from "../history/events.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Summary } from "../metrics/summary.ts";
import type { Quantiles, Timeline } from "../metrics/timeline.ts";
import type { Chart, Series } from "./chart.ts";
import { formatCount, formatMs, significant } from "./number.ts";

/** Number of open connections. */
export function openChart(timeline: Timeline): Chart {
  const peak = highest(timeline.open);
  return {
    id: "open",
    title: "Open connections",
    description: `At most ${formatCount(peak.value)}, ${secondsAt(timeline, peak.bucket)} into the run.`,
    x: timeAxis(timeline),
    y: { label: "connections", unit: "number" },
    series: [{ label: "open", values: [...timeline.open], color: 1, style: "area" }],
  };
}

/** Planned and actual starts, and oks. */
export function rateChart(timeline: Timeline): Chart {
  const { planned, started, acknowledged } = timeline;
  return {
    id: "rates",
    title: "Starts and oks per second",
    description:
      `In steps of ${formatMs(timeline.bucket)}: at most ${
        significant(highest(started).value)
      } starts per second, ` +
      `and at most ${significant(highest(acknowledged).value)} oks.`,
    x: timeAxis(timeline),
    y: { label: "per second", unit: "number" },
    series: [
      { label: "planned", values: [...planned], color: 4, style: "step" },
      { label: "started", values: [...started], color: 1, style: "step" },
      { label: "acknowledged", values: [...acknowledged], color: 3, style: "step" },
    ],
  };
}

/** Time added by the relay, by planned start. */
export function latencyChart(timeline: Timeline): Chart {
  const worst = highest(timeline.relay.max);
  return {
    id: "latency",
    title: "Time added by the relay, over the run",
    description:
      `For the clients planned for each ${formatMs(timeline.bucket)}: time to the ok without the holds. ` +
      `The slowest was ${formatMs(worst.value)}, of a client planned ${
        secondsAt(timeline, worst.bucket)
      } into the run.`,
    x: timeAxis(timeline),
    y: { label: "within", unit: "ms", log: true },
    series: quantileSeries(timeline.relay, timeline),
  };
}

/** Resends, redeliveries, faults, and unnatural ends; `undefined` if there were none. */
export function troubleChart(timeline: Timeline): Chart | undefined {
  const kinds: [string, Float64Array][] = [
    ["resent", timeline.resent],
    ["delivered again", timeline.deliveredAgain],
    ["faults injected", timeline.faults],
    ...[...timeline.ends].map(([reason, counts]): [string, Float64Array] => [`ended: ${reason}`, counts]),
  ];
  const happened = kinds.filter(([, counts]) => counts.some((count) => count > 0));
  if (happened.length === 0) return undefined;
  const totals = happened.map(([label, counts]) =>
    `${label} ${formatCount(counts.reduce((sum, count) => sum + count))}`
  );
  return {
    id: "trouble",
    title: "Resends, faults, and unnatural ends",
    description: `In total: ${totals.join(", ")}.`,
    x: timeAxis(timeline),
    y: { label: `in ${formatMs(timeline.bucket)}`, unit: "number", stacked: true },
    series: happened.map(([label, counts], index): Series => ({
      label,
      values: [...counts],
      color: 1 + index % 6,
      style: "bars",
    })),
  };
}

/** Delay of client starts, which shows whether the generator kept up. */
export function lagChart(
  timeline: Timeline,
  { ledger, summary }: { ledger: Ledger; summary: Summary },
): Chart {
  const { scheduleLag } = timeline;
  const maxLag = maxLagOf(ledger.run);
  const loops = ledger.facts.generators.map(({ process, loopLag, socketLag }) =>
    `${formatMs(loopLag)} in process ${process}, and read from its sockets ${formatMs(socketLag)} late`
  );
  const looped = loops.length === 0
    ? ""
    : ` At the same percentile its event loop was late by ${loops.join(", ")}.`;
  return {
    id: "lag",
    title: "Starts behind schedule: health of the generator",
    description:
      `99 % of the ${plural(summary.started, "client", { format: formatCount })} started at most ${
        formatMs(summary.scheduleLag.p99)
      } late; ` +
      `the run is invalid beyond ${formatMs(maxLag)}.${looped}`,
    x: timeAxis(timeline),
    y: { label: "late by", unit: "ms", log: true },
    series: [
      ...quantileSeries(scheduleLag, timeline),
      {
        label: "limit for the p99 of the run",
        values: [...timeline.at].map(() => maxLag),
        color: 5,
        style: "line",
        dashed: true,
      },
    ],
  };
}

function quantileSeries({ p50, p99, max }: Quantiles, { planned, bucket }: Timeline): Series[] {
  const perBucket = highest(planned).value * bucket / 1000;
  // With fewer than a hundred values, the 99th percentile is the largest.
  const has99 = perBucket >= 100;
  return [
    { label: "max", values: positive(max), color: has99 ? 4 : 2, style: "line" },
    ...(has99 ? [{ label: "p99", values: positive(p99), color: 2, style: "line" } as const] : []),
    { label: "p50", values: positive(p50), color: 1, style: "line" },
  ];
}

function timeAxis({ at }: Timeline): Chart["x"] {
  return { scale: "time", label: "Time", values: [...at].map((ms) => ms / 1000) };
}

function secondsAt({ at }: Timeline, bucket: number): string {
  return `${significant((at[bucket] ?? 0) / 1000)} s`;
}

/** Converts a duration for a logarithmic axis, to the microsecond; `null` for NaN. */
function positive(values: Float64Array): (number | null)[] {
  return [...values].map((value) => (Number.isNaN(value) ? null : Math.max(0.001, value)));
}

/** Returns the largest value and its first bucket. */
function highest(values: Float64Array): { value: number; bucket: number } {
  return values.reduce(
    (best, value, bucket) => (value > best.value ? { value, bucket } : best),
    { value: 0, bucket: 0 },
  );
}
