/** Results as JUnit XML, which CI systems display: of a load test, and of the torture suite. Pure. @module */
import type { FindingKind } from "../judge/findings.ts";
import { describeVerdict } from "../judge/verdict_text.ts";
import type { Summary } from "../metrics/summary.ts";
import { describeThreshold } from "../metrics/threshold.ts";
import type { TortureResult } from "../torture/torture.ts";
import { element, escapeXml } from "./xml.ts";

/** Input of {@linkcode renderJunit}. */
export interface JunitInput {
  readonly summary: Summary;
  /** Whether the run injected faults, which excuse duplicate oks. Default `false`. */
  readonly faults?: boolean;
  /** When the run began. */
  readonly startedAt: Date;
}

/** Input of {@linkcode renderTortureJunit}. */
export interface TortureJunitInput {
  readonly results: readonly TortureResult[];
  /** Faults found after the last case. */
  readonly faults: readonly string[];
  /** When the suite began. */
  readonly startedAt: Date;
}

/** The test cases of a run, and the findings that fail each. */
const PROPERTIES: readonly (readonly [name: string, kinds: readonly FindingKind[]])[] = [
  ["every message is acknowledged", ["lost", "under-way"]],
  ["nothing unexpected arrives", ["unexpected", "inconsistent"]],
  ["no message is acknowledged twice", ["duplicate"]],
  ["every connection closes naturally", ["unnatural"]],
  ["the server is left with nothing", ["leftover", "hung"]],
  ["no process dies", ["died"]],
  ["the generator keeps its schedule", ["overloaded"]],
];

/** The further test cases of a scenario. */
const SCENARIO_PROPERTIES: typeof PROPERTIES = [
  ["every reply is the expected one", ["wrong", "truncated", "foreign"]],
  ["replies arrive in the order of the requests", ["reordered"]],
  ["every check holds", ["check"]],
  ["the scenario throws nothing", ["scenario"]],
];

/** Findings that those of kind `reason` explain. */
const EXPLAINED: readonly FindingKind[] = ["lost", "under-way", "unnatural"];

interface Suite {
  readonly name: string;
  /** The `classname` of its cases. */
  readonly className: string;
  readonly startedAt: Date;
  /** Total time, in ms. */
  readonly durationMs: number;
  readonly properties?: readonly (readonly [name: string, value: string])[];
  readonly cases: readonly Case[];
  /** Text for `system-out` of the suite. */
  readonly output?: string;
}

interface Case {
  readonly name: string;
  /** Failures of the case; empty if it passes. */
  readonly failures: readonly string[];
  /** Why the case was skipped. */
  readonly skipped?: string | undefined;
  /** In ms. */
  readonly durationMs?: number;
  /** Text for `system-out` of the case. */
  readonly output?: string;
}

/**
 * Renders the result of a run as XML. At least one case fails unless the verdict is `proven` or `delivered`.
 *
 * The format is that of the Jenkins xUnit plugin (`junit-10.xsd`), which other tools read too.
 *
 * @example
 * ```ts
 * import { judge } from "../judge/verdict.ts";
 * import { Ledger } from "../ledger/ledger.ts";
 * import { measure } from "../metrics/measure.ts";
 * import { renderJunit } from "./junit.ts";
 * import { summarize } from "../metrics/summary.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const ledger = new Ledger({
 *   event: "run", schema: 1, seed: 1, clients: 1, protocol: "relay", server: "own", faults: false,
 * });
 * ledger.record({ event: "died", at: 5, process: "server", detail: "exit code 1" });
 * const nothing = { cpuSeconds: null, peakMemory: null };
 * const summary = summarize({
 *   ledger,
 *   judgement: judge(ledger),
 *   measures: measure(ledger),
 *   durationMs: 5,
 *   usage: { server: nothing, generator: nothing },
 * });
 * assertStringIncludes(
 *   renderJunit({ summary, startedAt: new Date(0) }),
 *   '<failure message="The server ended before the run did: exit code 1">',
 * );
 * ```
 */
export function renderJunit({ summary, faults = false, startedAt }: JunitInput): string {
  const cases = [
    ...[...PROPERTIES, ...(summary.scenario === undefined ? [] : SCENARIO_PROPERTIES)]
      .map(([name, kinds]) => caseOf(name, { kinds, summary, faults })),
    { name: "the run ends", failures: endOf(summary) },
    ...summary.thresholds.map((threshold): Case => ({
      name: `threshold ${threshold.expression}`,
      failures: threshold.holds ? [] : [describeThreshold(threshold)],
    })),
  ];
  return renderSuite({
    name: "okline load test",
    className: "okline.loadtest",
    startedAt,
    durationMs: summary.durationMs,
    properties: propertiesOf(summary),
    cases,
    output: `${summary.verdict}: ${describeVerdict(summary)}`,
  });
}

/** Renders the result of the torture suite as XML: one test case per case, and one for the state after all of them. */
export function renderTortureJunit({ results, faults, startedAt }: TortureJunitInput): string {
  const cases = results.map(({ name, ms, saw, fault, unjudged }): Case => ({
    name,
    failures: fault === undefined ? [] : [fault],
    skipped: fault === undefined ? unjudged : undefined,
    durationMs: ms,
    output: saw,
  }));
  return renderSuite({
    name: "okline torture",
    className: "okline.torture",
    startedAt,
    durationMs: results.reduce((sum, { ms }) => sum + ms, 0),
    cases: [...cases, { name: "the end", failures: faults, durationMs: 0 }],
  });
}

function renderSuite(suite: Suite): string {
  const { name, className, startedAt, durationMs, properties = [], cases, output = "" } = suite;
  const count = (matches: (one: Case) => boolean): string => String(cases.filter(matches).length);
  const totals = {
    tests: String(cases.length),
    failures: count(({ failures }) => failures.length > 0),
    errors: "0",
    skipped: count(({ skipped }) => skipped !== undefined),
    time: seconds(durationMs),
  };
  const propertyElements = properties.map(([name, value]) => element("property", { name, value }));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${
    element("testsuites", { name, ...totals }, [
      element("testsuite", { name, ...totals, timestamp: startedAt.toISOString() }, [
        ...(propertyElements.length === 0 ? [] : [element("properties", {}, propertyElements)]),
        ...cases.map((one) => renderCase(one, className)),
        ...(output === "" ? [] : [systemOut(output)]),
      ]),
    ])
  }\n`;
}

function renderCase({ name, failures, skipped, durationMs, output = "" }: Case, classname: string): string {
  const children = skipped === undefined ? [] : [element("skipped", { message: skipped })];
  const [message] = failures;
  if (message !== undefined) children.push(element("failure", { message }, [escapeXml(failures.join("\n"))]));
  if (output !== "") children.push(systemOut(output));
  const time: Readonly<Record<string, string>> = durationMs === undefined
    ? {}
    : { time: seconds(durationMs) };
  return element("testcase", { classname, name, ...time }, children);
}

function systemOut(text: string): string {
  return element("system-out", {}, [escapeXml(text)]);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function caseOf(
  name: string,
  { kinds, summary, faults }: { kinds: readonly FindingKind[]; summary: Summary; faults: boolean },
): Case {
  const found = summary.findings.filter(({ kind }) => kinds.includes(kind));
  const told = found.map(({ text }) => text);
  if (faults && kinds.includes("duplicate")) {
    return { name, failures: [], skipped: "Injected faults may duplicate oks" };
  }
  if (kinds.includes("leftover") && told.length === 0 && summary.server === null) {
    return { name, failures: [], skipped: "The state of the server is unknown" };
  }
  const { cause } = summary;
  const follows = found.some(({ follows }) => follows);
  const causes = cause !== undefined && follows ? [`Likely cause: ${cause.text}`] : [];
  const isExplained = told.length > 0 && kinds.some((kind) => EXPLAINED.includes(kind));
  const reasons = isExplained
    ? summary.findings.filter(({ kind }) => kind === "reason").map(({ text }) => text)
    : [];
  return { name, failures: [...told, ...reasons, ...causes] };
}

function endOf(summary: Summary): string[] {
  return summary.verdict === "interrupted" ? [describeVerdict(summary)] : [];
}

function propertiesOf(summary: Summary): (readonly [string, string])[] {
  const { verdict, seed, clients, acked, latency, peakConnections } = summary;
  const figures: Record<string, string | number | null> = {
    verdict,
    seed,
    clients,
    acked,
    peakConnections,
    "latency.fromPlanned.p99 (ms)": latency.fromPlanned.p99,
    "latency.relay.p99 (ms)": latency.relay.p99,
  };
  return Object.entries(figures).map(([name, value]) => [name, String(value ?? "not measured")]);
}
