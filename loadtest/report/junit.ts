/** The result of a run as JUnit XML, which CI systems show: a test case for each property and threshold. Pure. @module */
import { element, escapeXml } from "./xml.ts";
import type { FindingKind } from "../judge/findings.ts";
import type { Summary } from "../metrics/summary.ts";
import { describeThreshold } from "../metrics/threshold.ts";
import { describeVerdict } from "../judge/verdict_text.ts";

/** What {@linkcode renderJunit} needs. */
export interface JunitInput {
  readonly summary: Summary;
  /** Whether faults were asked for, which excuse duplicates. Default `false`. */
  readonly faults?: boolean;
  /** When the run began. */
  readonly startedAt: Date;
}

/** What a run must have, and the findings that say it has not. */
const PROPERTIES: readonly (readonly [name: string, kinds: readonly FindingKind[]])[] = [
  ["every message is acknowledged", ["lost", "under-way"]],
  ["nothing unexpected arrives", ["unexpected", "inconsistent"]],
  ["no message is acknowledged twice", ["duplicate"]],
  ["every connection closes naturally", ["unnatural"]],
  ["the server is left with nothing", ["leftover"]],
  ["no process dies", ["died"]],
  ["the generator keeps its schedule", ["overloaded"]],
];

/** What the findings of kind `reason` explain. */
const EXPLAINED: readonly FindingKind[] = ["lost", "under-way", "unnatural"];

const SUITE = "okline load test";

interface Case {
  readonly name: string;
  /** What is wrong; nothing when the case passes. */
  readonly failures: readonly string[];
  /** Why it was not looked at. */
  readonly skipped?: string;
}

/**
 * The result as XML. At least one case fails exactly when the verdict is none of `proven` and `delivered`.
 *
 * The form is the one that the Jenkins xUnit plugin has a schema of (`junit-10.xsd`), and that others read too.
 *
 * @example
 * ```ts
 * import { judge, Ledger, measure, renderJunit, summarize } from "@okline/okline/loadtest";
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
    ...PROPERTIES.map(([name, kinds]) => caseOf(name, { kinds, summary, faults })),
    { name: "the run comes to its end", failures: endOf(summary) },
    ...summary.thresholds.map((threshold): Case => ({
      name: `threshold ${threshold.expression}`,
      failures: threshold.holds ? [] : [describeThreshold(threshold)],
    })),
  ];
  const count = (of: (one: Case) => boolean): string => String(cases.filter(of).length);
  const totals = {
    tests: String(cases.length),
    failures: count(({ failures }) => failures.length > 0),
    errors: "0",
    skipped: count(({ skipped }) => skipped !== undefined),
    time: (summary.durationMs / 1000).toFixed(3),
  };
  const suite = { name: SUITE, ...totals, timestamp: startedAt.toISOString() };
  const properties = propertiesOf(summary).map(([name, value]) => element("property", { name, value }));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${
    element("testsuites", { name: SUITE, ...totals }, [
      element("testsuite", suite, [
        element("properties", {}, properties),
        ...cases.map(xmlOf),
        element("system-out", {}, [escapeXml(`${summary.verdict}: ${describeVerdict(summary)}`)]),
      ]),
    ])
  }\n`;
}

function caseOf(
  name: string,
  { kinds, summary, faults }: { kinds: readonly FindingKind[]; summary: Summary; faults: boolean },
): Case {
  const told = summary.findings.filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text);
  if (faults && kinds.includes("duplicate")) {
    return { name, failures: [], skipped: "Faults were asked for, which may double oks" };
  }
  if (kinds.includes("leftover") && told.length === 0 && summary.server === null) {
    return { name, failures: [], skipped: "The server's state could not be asked for" };
  }
  if (told.length === 0 || !kinds.some((kind) => EXPLAINED.includes(kind))) return { name, failures: told };
  const reasons = summary.findings.filter(({ kind }) => kind === "reason").map(({ text }) => text);
  return { name, failures: [...told, ...reasons] };
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

function xmlOf({ name, failures, skipped }: Case): string {
  const children = skipped === undefined ? [] : [element("skipped", { message: skipped })];
  if (failures.length > 0) {
    children.push(element("failure", { message: failures[0] ?? "" }, [escapeXml(failures.join("\n"))]));
  }
  return element("testcase", { classname: "okline.loadtest", name }, children);
}
