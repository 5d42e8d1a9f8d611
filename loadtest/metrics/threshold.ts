/** Thresholds such as `p99<500ms`: parsing, and checks against the metrics of a run. Pure. @module */
import { formatDuration, parseDuration } from "../../internal/duration.ts";
import { quoted } from "../../internal/printable.ts";
import type { Percentiles } from "./latency.ts";
import { isLive, LIVE_METRICS } from "./live_metric.ts";
import type { RunMetrics } from "./run_metrics.ts";

/** A threshold, parsed by {@linkcode parseThreshold}. */
export interface Threshold {
  /** As written, without spaces except in the name of a step. */
  readonly expression: string;
  /** The name of a metric; see {@linkcode parseThreshold}. */
  readonly metric: string;
  readonly operator: Operator;
  /** In `unit`: ms for durations, a count, or percent of the clients. */
  readonly bound: number;
  readonly unit: Unit;
  /** It stops the run if it does not hold this long after the beginning, in ms, or later. Default: it does not. */
  readonly abortAfter?: number;
}

/** The unit of a bound. */
export type Unit = "ms" | "count" | "percent";

/** A comparison of a metric with its bound. */
export type Operator = keyof typeof OPERATORS;

/** A threshold and its result. */
export interface CheckedThreshold {
  /** As written, without spaces. */
  readonly expression: string;
  /** The value, in `unit`; `null` if it was not measured, and then the threshold does not hold. */
  readonly actual: number | null;
  /** The unit of the value and its bound; `percent` is of the clients. */
  readonly unit: "ms" | "count" | "percent";
  /** Whether the value is within its bound, and was while the run went on if the threshold can stop it. */
  readonly holds: boolean;
  /** Whether it stopped the run. */
  readonly aborted: boolean;
  /** Why the value was not measured, if its name is unknown: `no step PUT, only LOGIN`. */
  readonly why?: string;
}

const OPERATORS = {
  "<=": (actual: number, bound: number) => actual <= bound,
  ">=": (actual: number, bound: number) => actual >= bound,
  "==": (actual: number, bound: number) => actual === bound,
  "!=": (actual: number, bound: number) => actual !== bound,
  "<": (actual: number, bound: number) => actual < bound,
  ">": (actual: number, bound: number) => actual > bound,
};

type Read = (metrics: RunMetrics) => number | null;

const PERCENTILES = ["p50", "p90", "p95", "p99", "p999", "max"] as const;

/** Metrics with percentiles, by the prefix of their names. */
const PREFIXED: ReadonlyMap<string, (metrics: RunMetrics) => Percentiles> = new Map([
  ["fromPlanned.", ({ latency }: RunMetrics) => latency.fromPlanned],
  ["relay.", ({ latency }: RunMetrics) => latency.relay],
  ["connect.", ({ connect }: RunMetrics) => connect],
  ["held.", ({ held }: RunMetrics) => held],
  ["scheduleLag.", ({ scheduleLag }: RunMetrics) => scheduleLag],
]);

/** Metrics in ms: percentiles with the prefix of their metric; those of `latency` are without a prefix. */
const DURATIONS: ReadonlyMap<string, Read> = new Map([
  ...percentilesOf("", ({ latency }) => latency),
  ...[...PREFIXED].flatMap(([prefix, of]) => percentilesOf(prefix, of)),
  ["duration", ({ durationMs }: RunMetrics) => durationMs] as const,
]);

/** Counts; their bounds may be in percent of the clients. */
const COUNTS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["acked", (metrics) => metrics.acked],
  ["lost", (metrics) => metrics.lost],
  ["unexpected", (metrics) => metrics.unexpected],
  ["duplicates", (metrics) => metrics.duplicates],
  ["recovered", (metrics) => metrics.recovered],
  ["resent", (metrics) => metrics.resent],
  ["redelivered", (metrics) => metrics.redelivered],
  ["reconnects", (metrics) => metrics.reconnects],
  ["refused", (metrics) => metrics.refused],
  ["inFlight", (metrics) => metrics.underWay],
  // Its name in the summary.
  ["underWay", (metrics) => metrics.underWay],
  ["stray", (metrics) => metrics.stray],
  ["closed.natural", ({ closed }) => closed.natural],
  ["closed.timeout", ({ closed }) => closed.timeout],
  ["closed.error", ({ closed }) => closed.error],
  ["peakConnections", (metrics) => metrics.peakConnections],
]);

/** Plain numbers of scenarios. */
const SCENARIO_NUMBERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["requests", ({ scenario }) => scenario?.requests ?? null],
  ["perSecond", ({ scenario }) => scenario?.perSecond ?? null],
  ["wrong", ({ scenario }) => scenario?.wrong ?? null],
  ["truncated", ({ scenario }) => scenario?.truncated ?? null],
  ["foreign", ({ scenario }) => scenario?.foreign ?? null],
  ["reordered", ({ scenario }) => scenario?.reordered ?? null],
  ["checks.failed", ({ scenario }) => scenario?.checks.reduce((sum, { failed }) => sum + failed, 0) ?? null],
  ["sessions.done", ({ scenario }) => scenario?.sessions.done ?? null],
]);

/** Plain numbers. */
const NUMBERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ...SCENARIO_NUMBERS,
  ["fairness", (metrics) => metrics.fairness],
  ["cpu.server", ({ cpu }) => cpu.server],
  ["cpu.generator", ({ cpu }) => cpu.generator],
]);

/** Durations of a scenario: of the step, or the custom metric, of a name that only the run knows. */
const NAMED_DURATION = /^(step|metric)\.([^<>=!]+)\.(p50|p90|p95|p99|p999|max)$/;

const EXPRESSION = /^([A-Za-z][^<>=!]*)(<=|>=|==|!=|<|>)([^<>=!]+)$/;
const NUMBER = /^\d+(\.\d+)?$/;
const ABORT = /@abort(?::(.*))?$/;

/**
 * Reads a threshold: a metric, an operator, and a bound; then `@abort`, or `@abort:10s`, if it is to stop the run once it
 * does not hold, from that time on.
 *
 * - Durations, with a unit: `p50`, `p90`, `p95`, `p99`, `p999`, `max`, each also of `fromPlanned.`, `relay.`, `connect.`,
 *   `held.`, and `scheduleLag.`, and `duration` of the whole run: `p99<500ms`, `relay.p99<=0.1s`.
 * - Counts, plain or in percent of the clients: `lost==0`, `resent<1%`.
 * - Numbers: `fairness>0.9`, `cpu.server<1`.
 * - Of a scenario: the numbers `requests`, `perSecond`, `wrong`, `truncated`, `foreign`, `reordered`, `checks.failed`, and
 *   `sessions.done`; the percentiles of a step, `step.LOGIN.p99<50ms`, and of a custom metric, `metric.queue.max<10`.
 *
 * @throws {TypeError} If `text` is not a threshold, or its metric or unit is unknown
 *
 * @example
 * ```ts
 * import { parseThreshold } from "./threshold.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { metric, operator, bound, unit } = parseThreshold("relay.p99 <= 0.1s");
 * assertEquals([metric, operator, bound, unit], ["relay.p99", "<=", 100, "ms"]);
 * assertEquals(parseThreshold("p99<500ms@abort:10s").abortAfter, 10_000);
 * ```
 */
export function parseThreshold(text: string): Threshold {
  const expression = withoutSpaces(text);
  const [, metric, operator, bound] = EXPRESSION.exec(expression.replace(ABORT, "")) ?? [];
  if (metric === undefined || bound === undefined || !isOperator(operator)) {
    throw new TypeError(
      `Cannot use threshold "${text}": expected a metric, one of ${
        Object.keys(OPERATORS).join(" ")
      }, and a bound, as in p99<500ms`,
    );
  }
  return {
    expression,
    metric,
    operator,
    ...boundOf(text, metric, bound),
    ...abortOf(text, expression, metric),
  };
}

/** Removes spaces, except inside the name of a step, which may have some. */
function withoutSpaces(text: string): string {
  const [, name = "", rest = text] = /^\s*((?:step|metric)\.[^<>=!]*?)\s*([<>=!].*)$/s.exec(text) ?? [];
  return name + rest.replaceAll(/\s/g, "");
}

/**
 * Checks a threshold against the metrics of a run.
 *
 * @param options.stoppedBy The expression of the threshold that stopped the run
 */
export function checkThreshold(
  threshold: Threshold,
  metrics: RunMetrics,
  { stoppedBy }: { readonly stoppedBy?: string | undefined } = {},
): CheckedThreshold {
  const { expression, metric, unit } = threshold;
  const read = DURATIONS.get(metric) ?? COUNTS.get(metric) ?? NUMBERS.get(metric) ?? readNamed(metric);
  const value = read?.(metrics) ?? null;
  const actual = value !== null && unit === "percent" ? 100 * value / metrics.clients : value;
  const aborted = expression === stoppedBy;
  const holds = value !== null && !aborted && compareWithBound(threshold, value, metrics.clients);
  const why = value === null ? missingName(metric, metrics) : undefined;
  return { expression, actual, unit, holds, aborted, ...(why === undefined ? {} : { why }) };
}

/** Returns whether a value, in ms or a count, is within the bound of a threshold. */
export function compareWithBound(
  { operator, bound, unit }: Threshold,
  value: number,
  clients: number,
): boolean {
  return OPERATORS[operator](unit === "percent" ? 100 * value / clients : value, bound);
}

/** Describes a result in one line: `p99<500ms: 612ms`. */
export function describeThreshold({ expression, actual, unit, why }: CheckedThreshold): string {
  if (actual === null) return `${expression}: not measured${why === undefined ? "" : `, ${why}`}`;
  const shown = unit === "ms" ? formatDuration(actual) : `${Number(actual.toFixed(3))}`;
  return `${expression}: ${shown}${unit === "percent" ? "%" : ""}`;
}

function abortOf(text: string, expression: string, metric: string): Pick<Threshold, "abortAfter"> {
  const [suffix, after = "0"] = ABORT.exec(expression) ?? [];
  if (suffix === undefined) return {};
  if (!isLive(metric)) {
    throw new TypeError(
      `Cannot use threshold "${text}": ${metric} is only known after the run, expected one of ${LIVE_METRICS}`,
    );
  }
  try {
    return { abortAfter: parseDuration(after) };
  } catch (cause) {
    throw new TypeError(`Cannot use threshold "${text}": expected a duration, as in @abort:10s`, { cause });
  }
}

function boundOf(text: string, metric: string, bound: string): Pick<Threshold, "bound" | "unit"> {
  const named = NAMED_DURATION.exec(metric)?.[1];
  // The values of a custom metric are what the scenario says: durations, or plain numbers.
  if (named === "metric" && NUMBER.test(bound)) return { bound: Number(bound), unit: "count" };
  if (named !== undefined || DURATIONS.has(metric)) {
    // A bare number could mean ms, as in summaries, or seconds, as in options.
    if (NUMBER.test(bound) && Number(bound) !== 0) {
      throw new TypeError(`Cannot use threshold "${text}": expected a unit, as in ${metric}<${bound}ms`);
    }
    try {
      return { bound: parseDuration(bound), unit: "ms" };
    } catch (cause) {
      throw new TypeError(
        `Cannot use threshold "${text}": expected a duration as the bound, as in ${metric}<500ms`,
        {
          cause,
        },
      );
    }
  }
  const percent = bound.endsWith("%");
  const number = percent ? bound.slice(0, -1) : bound;
  if (!COUNTS.has(metric) && !NUMBERS.has(metric)) {
    const prefixes = [...PREFIXED.keys(), "step.NAME.", "metric.NAME."];
    const others = ["duration", ...COUNTS.keys(), ...NUMBERS.keys()];
    throw new TypeError(
      `Cannot use threshold "${text}": expected one of ${PERCENTILES.join(", ")}, alone or after one of ${
        prefixes.join(", ")
      }; or one of ${others.join(", ")}`,
    );
  }
  if (!NUMBER.test(number) || (percent && !COUNTS.has(metric))) {
    const accepted = COUNTS.has(metric) ? "a number, or percent of the clients" : "a number";
    throw new TypeError(`Cannot use threshold "${text}": expected ${accepted}, as the bound`);
  }
  return { bound: Number(number), unit: percent ? "percent" : "count" };
}

/** Reads the percentile of a step or a custom metric; `null` if the run has no such name. */
function readNamed(metric: string): Read | undefined {
  const [, kind, name, percentile] = NAMED_DURATION.exec(metric) ?? [];
  if (percentile === undefined) return undefined;
  const key = percentile as (typeof PERCENTILES)[number];
  return ({ scenario }) => {
    if (kind === "metric") return scenario?.metrics.find((one) => one.name === name)?.[key] ?? null;
    return scenario?.steps.find((one) => one.name === name)?.latency[key] ?? null;
  };
}

/** Says which names there are instead of the one of a step or a custom metric that the run does not have. */
function missingName(metric: string, { scenario }: RunMetrics): string | undefined {
  const [, kind, name = ""] = NAMED_DURATION.exec(metric) ?? [];
  if (kind === undefined) return undefined;
  const known = (kind === "step" ? scenario?.steps : scenario?.metrics)?.map((one) => one.name) ?? [];
  if (known.includes(name)) return undefined;
  return `no ${kind} ${quoted(name)}, ${
    known.length === 0 ? "and no other" : `only ${known.map(quoted).join(", ")}`
  }`;
}

/** Whether a metric is of scenarios only. */
export function isOfScenarios(metric: string): boolean {
  return NAMED_DURATION.test(metric) || SCENARIO_NUMBERS.has(metric);
}

function isOperator(text: string | undefined): text is Operator {
  return text !== undefined && Object.hasOwn(OPERATORS, text);
}

function percentilesOf(
  prefix: string,
  of: (metrics: RunMetrics) => Percentiles,
): (readonly [string, Read])[] {
  return PERCENTILES.map((name) => [`${prefix}${name}`, (metrics) => of(metrics)[name]] as const);
}
