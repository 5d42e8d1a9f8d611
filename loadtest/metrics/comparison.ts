/** Compares two sets of runs: which metrics changed, and whether by more than chance. Pure. @module */
import { countsDiffer, estimatesDiffer, mean, median, permutationShare, sum } from "./statistics.ts";

/** A metric of the runs before and after. */
export interface Change {
  /** Its path in a summary, such as `latency.relay.p99`. */
  readonly figure: string;
  readonly unit: "ms" | "count" | "cores" | "index";
  /** The median of the runs; `null` if it was not measured. */
  readonly before: number | null;
  readonly after: number | null;
  readonly judged: ChangeVerdict;
}

/** The judgment of a change. */
export type ChangeVerdict =
  | "same"
  /** By no more than chance explains. */
  | "noise"
  | "better"
  | "worse"
  /** By more than chance within a run explains, but there are too few runs to know the variation between runs. */
  | "maybe better"
  | "maybe worse"
  /** The noise of this metric is unknown, or neither direction is better. */
  | "unknown";

/** The result of a comparison. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** Sentences about why the runs are of different tests, or why the judgment is uncertain. */
  readonly remarks: readonly string[];
  /** Whether anything became worse by more than chance; `null` if the metrics of a run mean nothing. */
  readonly worse: boolean | null;
}

/** A summary as read from a file. Summaries of other versions may lack metrics. */
export type SummaryRecord = Readonly<Record<string, unknown>>;

interface ComparedMetric {
  readonly path: string;
  readonly unit: Change["unit"];
  /** The better direction. Default: `down`. */
  readonly good?: "up" | "neither";
  /** `must-be-0`: any value above 0 is wrong, and never chance. `events`: counts of events that happen by chance. */
  readonly kind?: "must-be-0" | "events";
}

const PERCENTILES = ["p50", "p90", "p95", "p99", "p999"];
const PLACES = ["latency.fromPlanned", "latency.relay", "latency", "connect", "scheduleLag"];

const SCENARIO_FAILURES = ["wrong", "truncated", "foreign", "reordered"].map((name) => `scenario.${name}`);

const FIGURES: readonly ComparedMetric[] = [
  ...["lost", "underWay", "unexpected", "duplicates", ...SCENARIO_FAILURES]
    .map((path): ComparedMetric => ({ path, unit: "count", kind: "must-be-0" })),
  ...["resent", "reconnects", "refused", "redelivered", "stray", "closed.timeout", "closed.error"]
    .map((path): ComparedMetric => ({ path, unit: "count", kind: "events" })),
  ...PLACES.flatMap((place) =>
    PERCENTILES.map((name): ComparedMetric => ({ path: `${place}.${name}`, unit: "ms" }))
  ),
  { path: "scenario.perSecond", unit: "count", good: "up" },
  { path: "fairness", unit: "index", good: "up" },
  { path: "cpu.server", unit: "cores" },
  { path: "cpu.generator", unit: "cores" },
  { path: "peakConnections", unit: "count", good: "neither" },
  { path: "durationMs", unit: "ms", good: "neither" },
];

/** Number of runs on each side from which on the variation between runs is known. */
const ENOUGH_RUNS = 5;
/** Most runs on each side: all ways to divide twice as many can still be examined. */
export const MOST_RUNS = 10;
/** Differences that chance explains less often than this are reported. It is low because there are many metrics. */
const RARE = 0.01;
/** The plan of a run. If it differs, the metrics may differ as well. */
const ASKED = [
  "clients",
  "plan.windowMs",
  "plan.arrival",
  "plan.replyDelay",
  "plan.payload",
  "plan.timeoutMs",
];

/**
 * Compares runs.
 *
 * With at least five runs on each side, a metric has changed if the difference is as large in fewer than 1 % of all ways
 * to divide the same runs. With fewer runs, percentiles are compared by the confidence intervals of their runs, and
 * counts by the chance of counts, both at 1 %. This covers the chance within a run, but not the variation between runs,
 * so it shows only what may have changed: even identical runs differ like this if the machine is busy during one of them.
 *
 * @param before Summaries of runs, at least one and at most ten
 * @param after Summaries of the other runs, at least one and at most ten
 * @throws {RangeError} If there are none, or too many
 *
 * @example
 * ```ts
 * import { compareRuns } from "./comparison.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const run = { verdict: "proven", clients: 10, lost: 0 };
 * const { changes, worse } = compareRuns([run], [{ ...run, verdict: "failed", lost: 1 }]);
 * assertEquals([changes[0]?.figure, changes[0]?.judged, worse], ["lost", "worse", true]);
 * ```
 */
export function compareRuns(before: readonly SummaryRecord[], after: readonly SummaryRecord[]): Comparison {
  for (const runs of [before, after]) {
    if (runs.length < 1 || runs.length > MOST_RUNS) {
      throw new RangeError(`Cannot compare ${runs.length} runs on one side: expected 1 to ${MOST_RUNS}`);
    }
  }
  const sides = { before, after };
  const meaningless = [...before, ...after].some(({ verdict }) =>
    verdict === "invalid" || verdict === "interrupted"
  );
  const changes = FIGURES.map((figure) => changeOf(figure, { ...sides, meaningless }));
  const remarks = [...differences(sides), ...caveats(sides, meaningless)];
  const worse = changes.some(({ judged }) => judged === "worse") || badShare(after) > badShare(before);
  return { changes, remarks, worse: meaningless ? null : worse };
}

interface Sides {
  readonly before: readonly SummaryRecord[];
  readonly after: readonly SummaryRecord[];
}

function changeOf(
  figure: ComparedMetric,
  { before, after, meaningless }: Sides & { meaningless: boolean },
): Change {
  const { path, unit } = figure;
  const values = { before: numbersAt(before, path), after: numbersAt(after, path) };
  const change = { figure: path, unit, before: median(values.before), after: median(values.after) };
  if (change.before === null || change.after === null || meaningless) return { ...change, judged: "unknown" };
  const difference = mean(values.after) - mean(values.before);
  if (difference === 0) return { ...change, judged: "same" };
  const beyondChance = isBeyondChance(figure, { before, after });
  if (beyondChance === null || (beyondChance && figure.good === "neither")) {
    return { ...change, judged: "unknown" };
  }
  if (!beyondChance) return { ...change, judged: "noise" };
  const direction = difference > 0 === (figure.good === "up") ? "better" : "worse";
  return { ...change, judged: isKnown(figure, { before, after }) ? direction : `maybe ${direction}` };
}

/** Whether chance has no part in a metric, or there are enough runs to know its effect. */
function isKnown({ path, kind }: Pick<ComparedMetric, "path" | "kind">, { before, after }: Sides): boolean {
  if (kind === "must-be-0") return true;
  return [before, after].every((runs) => numbersAt(runs, path).length >= ENOUGH_RUNS);
}

/** Returns `null` if it is unknown. */
function isBeyondChance({ path, kind }: ComparedMetric, { before, after }: Sides): boolean | null {
  const [from, to] = [numbersAt(before, path), numbersAt(after, path)];
  if (kind === "must-be-0") return true;
  if (isKnown({ path }, { before, after })) return permutationShare(from, to) < RARE;
  if (kind === "events") {
    const clients = [...before, ...after].map((run) => at(run, "clients"));
    if (new Set(clients).size > 1 || from.length !== to.length) return null;
    return countsDiffer(sum(from), sum(to));
  }
  const [fromInterval, toInterval] = [widest(before, path), widest(after, path)];
  if (fromInterval === null || toInterval === null) return null;
  return estimatesDiffer({ value: mean(from), interval: fromInterval }, {
    value: mean(to),
    interval: toInterval,
  });
}

/** Returns the interval around the intervals of all runs, or `null` if one is missing. */
function widest(runs: readonly SummaryRecord[], path: string): readonly [number, number] | null {
  const lows = numbersAt(runs, `confidence.${path}.0`);
  const highs = numbersAt(runs, `confidence.${path}.1`);
  return lows.length === runs.length && highs.length === runs.length
    ? [Math.min(...lows), Math.max(...highs)]
    : null;
}

function differences({ before, after }: Sides): string[] {
  return ASKED.flatMap((path) => {
    const [from, to] = [before, after].map((runs) =>
      [...new Set(runs.map((run) => String(at(run, path))))].join(", ")
    );
    return from === to ? [] : [`The runs are of different tests: ${path} was ${from}, then ${to}`];
  });
}

function caveats({ before, after }: Sides, meaningless: boolean): string[] {
  if (meaningless) return ["A run was invalid or interrupted, so its metrics mean nothing"];
  if (Math.min(before.length, after.length) >= ENOUGH_RUNS) return [];
  return [
    `The variation between runs is unknown: that takes at least ${ENOUGH_RUNS} runs on each side`,
  ];
}

/** Returns the share of runs with a bad verdict. */
function badShare(runs: readonly SummaryRecord[]): number {
  return runs.filter(({ verdict }) => verdict !== "proven" && verdict !== "delivered").length / runs.length;
}

function numbersAt(runs: readonly SummaryRecord[], path: string): number[] {
  return runs.map((run) => at(run, path)).filter((value) => typeof value === "number");
}

/** Returns the value at a path such as `latency.p99` or `confidence.latency.p99.0`. */
function at(run: SummaryRecord, path: string): unknown {
  return path.split(".").reduce((value: unknown, key) => {
    return typeof value === "object" && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined;
  }, run);
}
