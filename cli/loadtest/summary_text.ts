/** Formats the summary of a load test as text. @module */
import { formatTable } from "../terminal/table.ts";
import { adviseWithoutServer } from "../shared/no_server.ts";
import type { Percentiles } from "../../loadtest/metrics/latency.ts";
import type { Summary } from "../../loadtest/metrics/summary.ts";
import type { ScenarioMetrics } from "../../loadtest/scenario/measure_scenario.ts";
import { describeThreshold } from "../../loadtest/metrics/threshold.ts";
import { findingLines } from "./finding_lines.ts";
import { scenarioText } from "./scenario/text.ts";
import { verdictSentences } from "../../loadtest/judge/verdict_text.ts";
import { describePace } from "../../loadtest/pace/pace_summary.ts";
import { plural } from "../../internal/plural.ts";
import { printable } from "../../internal/printable.ts";

/** Formats the verdict, its basis, and the latencies. */
export function summaryText(summary: Summary): string {
  const { clients } = summary;
  const [sentence, ...counted] = verdictSentences(summary);
  const headline = `${summary.verdict.toUpperCase()}: ${sentence}`;
  const unreachable = summary.findings.find(({ kind }) => kind === "unreachable");
  if (unreachable !== undefined) {
    const advice = adviseWithoutServer(unreachable.text, "--target");
    return advice === undefined ? headline : `${headline}\n  ${advice}`;
  }
  return [
    headline,
    ...counted.map((text) => `  ${text}`),
    ...findingLines(summary, { where: "--report, or --json" }),
    ...summary.thresholds.map((threshold) =>
      `  threshold ${describeThreshold(threshold)}${
        threshold.holds || threshold.actual === null ? "" : ", crossed"
      }`
    ),
    "",
    summary.scenario === undefined ? countTable(summary) : requestTable(summary, summary.scenario),
    "",
    formatTable({
      head: ["ms", "p50", "p90", "p95", "p99", "p99.9", "max"],
      rows: [
        ...(summary.scenario === undefined
          ? [
            latencyRow("ok, from planned start", summary.latency.fromPlanned),
            latencyRow("ok, from actual start", summary.latency),
            latencyRow("added by the relay", summary.latency.relay),
            latencyRow("held before the answer", summary.held),
          ]
          : [
            latencyRow("reply, from planned instant", summary.latency.fromPlanned),
            latencyRow("reply, from sending", summary.latency),
          ]),
        latencyRow("connect", summary.connect),
        latencyRow("start behind schedule", summary.scheduleLag),
      ],
    }),
    ...(summary.scenario === undefined ? [] : ["", scenarioText(summary.scenario)]),
    "",
    ...processesText(summary),
    ...agentsText(summary),
    `${named(summary)}${
      summary.started === clients
        ? plural(clients, "client")
        : `${summary.started.toLocaleString("en")} of ${plural(clients, "client", { format: formatCount })}`
    } in ${(summary.durationMs / 1000).toFixed(1)} s, seed ${summary.seed}; ` +
    `processor: server ${cores(summary.cpu.server)}, generator ${cores(summary.cpu.generator)}`,
    ...(summary.pace === undefined ? [] : [`By an operator: ${describePace(summary.pace)}`]),
  ].join("\n");
}

/** The scenario file and a colon, or nothing. */
function named({ scenario }: Summary): string {
  return scenario?.name === undefined ? "" : `${printable(scenario.name)}: `;
}

/** Counts of messages and connections, and what is left at the server. */
function countTable(summary: Summary): string {
  const { acked, lost, underWay, unexpected, duplicates, closed } = summary;
  return formatTable({
    head: ["messages", "", "connections", "", "server at the end", ""],
    rows: [
      ["acknowledged", acked, "natural ends", closed.natural, "connections", left(summary, "connections")],
      ["lost", lost, "timed out", closed.timeout, "pending messages", left(summary, "pending")],
      ["in flight", underWay, "failed", closed.error, "timers", left(summary, "timers")],
      [
        "unexpected",
        unexpected,
        "reconnects",
        summary.reconnects,
        "queued bytes",
        left(summary, "queuedBytes"),
      ],
      [
        "duplicates",
        duplicates,
        "open at peak",
        summary.peakConnections,
        "sockets",
        left(summary, "descriptors"),
      ],
      ["resent", summary.resent, "refused", summary.refused, "redelivered", summary.redelivered],
    ],
  });
}

/** The same for a scenario, whose requests have replies. */
function requestTable(summary: Summary, scenario: ScenarioMetrics): string {
  const { acked, lost, underWay, unexpected, duplicates, closed } = summary;
  const { connections = left(summary, "connections"), ...others } = summary.server?.custom ?? {};
  const atServer = Object.entries({ connections, ...others, sockets: left(summary, "descriptors") });
  const wrong = scenario.wrong + scenario.truncated + scenario.foreign;
  const rows: [string, number, string | undefined, number | undefined][] = [
    ["answered as expected", acked, "natural ends", closed.natural],
    ["wrong reply", wrong, "failed", closed.error + closed.timeout],
    ["reply twice", duplicates, "could not connect", summary.refused],
    ["out of order", scenario.reordered, "open at peak", summary.peakConnections],
    ["lost", lost, undefined, undefined],
    ["in flight", underWay, undefined, undefined],
    ["unexpected frames", unexpected, undefined, undefined],
  ];
  return formatTable({
    head: ["requests", "", "connections", "", "server at the end", ""],
    rows: Array.from({ length: Math.max(rows.length, atServer.length) }, (_, index) => [
      ...(rows[index] ?? ["", "", "", ""]).map((cell) => cell ?? ""),
      ...(atServer[index] ?? ["", ""]),
    ]),
  });
}

/** Describes the distribution of connections over the processes of the server, if there are several. */
function processesText({ server }: Summary): string[] {
  if (server?.processes === undefined) return [];
  const spread = server.processes.map(({ accepted }) => accepted).join(", ");
  return [`connections of the ${server.processes.length} processes of the server: ${spread}`];
}

/** The agents and their clocks, if there are any. */
function agentsText({ agents = [] }: Summary): string[] {
  return agents.map(({ name, processes, clockOffsetMs, roundTripMs }) =>
    `agent ${name}: ${plural(processes, { one: "process", many: "processes" })}, clock ${
      clockOffsetMs < 0 ? "behind" : "ahead"
    } by ${Math.abs(clockOffsetMs).toFixed(1)} ms (±${(roundTripMs / 2).toFixed(1)} ms)`
  );
}

function left(
  { server }: Summary,
  what: "connections" | "pending" | "timers" | "queuedBytes" | "descriptors",
): string {
  return `${server?.[what] ?? "unknown"}`;
}

function latencyRow(name: string, { p50, p90, p95, p99, p999, max }: Percentiles): string[] {
  return [name, ...[p50, p90, p95, p99, p999, max].map((ms) => ms === null ? "-" : ms.toFixed(1))];
}

function cores(value: number | null): string {
  return value === null ? "unknown" : `${value.toFixed(2)} cores`;
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}
