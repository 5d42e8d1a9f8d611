/** The metrics of a run as tables. Pure. @module */
import { maxLagOf, type RunEvent } from "../history/events.ts";
import type { ScenarioMetrics } from "../scenario/measure_scenario.ts";
import type { Percentiles } from "../metrics/latency.ts";
import type { Plan } from "../plan/plan.ts";
import { formatPayload } from "../plan/payload.ts";
import { formatReplyDelay } from "../plan/reply_delay.ts";
import type { Summary } from "../metrics/summary.ts";
import { describeThreshold } from "../metrics/threshold.ts";
import { formatDuration } from "../../internal/duration.ts";
import { printable } from "../../internal/printable.ts";
import { type Content, type Html, html } from "./html.ts";
import { formatCount, formatMs, MISSING } from "./number.ts";

/** Measured durations by percentile. */
export function latencyTable({ latency, connect, held, scheduleLag, scenario }: Summary): Html {
  const row = (name: string, { p50, p90, p95, p99, p999, max }: Percentiles): Html =>
    html`<tr><th scope="row">${name}</th>${
      [p50, p90, p95, p99, p999, max].map((ms) => html`<td>${formatMs(ms)}</td>`)
    }</tr>`;
  return html`
    <div class="scroll">
      <table>
        <caption class="unseen">Durations by percentile</caption>
        <thead>
          <tr><th></th>${["p50", "p90", "p95", "p99", "p99.9", "max"].map((name) =>
            html`<th scope="col">${name}</th>`
          )}</tr>
        </thead>
        <tbody>
          ${scenario === undefined
            ? [
              row("Ok, from planned start", latency.fromPlanned),
              row("Ok, from actual start", latency),
              row("Added by the relay", latency.relay),
              row("Held before the answer", held),
            ]
            : [row("Reply, from planned instant", latency.fromPlanned), row("Reply, from sending", latency)]}
          ${row("Connecting", connect)}
          ${row("Start behind schedule", scheduleLag)}
        </tbody>
      </table>
    </div>
  `;
}

/** A row: a name, a value, and whether it should be 0. */
type Row = readonly [name: string, value: number | null, zero?: "zero" | undefined];

/** Results of messages and connections, and the state of the server at the end. */
export function countTables(summary: Summary, { faults }: { faults: boolean }): Html {
  const { closed } = summary;
  const excused = faults ? undefined : "zero";
  return html`<div class="tables">
    ${
    summary.scenario === undefined
      ? countTable("Messages", [
        ["clients planned", summary.clients],
        ["started", summary.started],
        ["acknowledged", summary.acked],
        ["lost", summary.lost, "zero"],
        ["in flight at the end", summary.underWay, "zero"],
        ["unexpected", summary.unexpected, "zero"],
        ["duplicate oks", summary.duplicates, "zero"],
        ["resent", summary.resent],
        ["acknowledged after a resend", summary.recovered],
        ["redelivered", summary.redelivered],
        ["stray oks", summary.stray],
      ])
      : countTable("Requests", requestCounts(summary, summary.scenario))
  }
    ${
    countTable("Connections", [
      ["open at peak", summary.peakConnections],
      ["last one closed naturally", closed.natural],
      ["last one timed out", closed.timeout, excused],
      ["last one ended in another way", closed.error, excused],
      ["reconnects", summary.reconnects],
      ["failed attempts", summary.refused],
      ...endsAt(summary),
    ])
  }
    ${countTable("Left at the server", leftAt(summary))}
    ${processTable(summary)}
  </div>`;
}

/** Leftovers of the server. A scenario chooses its figures itself. */
function leftAt({ server, scenario }: Summary): Row[] {
  const connections: Row = ["connections", server?.connections ?? null, "zero"];
  const sockets: Row = ["more sockets than at its start", server?.descriptors ?? null, "zero"];
  if (scenario !== undefined && (server?.pending ?? null) === null) {
    const custom = Object.entries(server?.custom ?? {}).map(([name, count]): Row => [name, count, "zero"]);
    return [...custom.length > 0 ? custom : [connections], sockets];
  }
  return [
    connections,
    ["pending messages", server?.pending ?? null, "zero"],
    ["timers", server?.timers ?? null, "zero"],
    ["queued bytes", server?.queuedBytes ?? null, "zero"],
    sockets,
  ];
}

/** Distribution of the work over the processes of the server; empty for a single process. */
function processTable({ server }: Summary): Content {
  if (server?.processes === undefined) return "";
  return countTable("Processes of the server", [
    ...server.processes.flatMap(({ pid, accepted, messages }): Row[] => [
      [`connections to process ${pid}`, accepted],
      ...(messages === undefined ? [] : [[`messages to process ${pid}`, messages] as const]),
    ]),
    ["restarts", server.restarts ?? 0],
  ]);
}

function endsAt({ server }: Summary): Row[] {
  return Object.entries(server?.closed ?? {})
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => [`ended as ${reason}, to the server`, count]);
}

function requestCounts(
  { acked, lost, underWay, unexpected, duplicates }: Summary,
  scenario: ScenarioMetrics,
): Row[] {
  return [
    ["requests", scenario.requests],
    ["answered as expected", acked],
    ["lost", lost, "zero"],
    ["in flight at the end", underWay, "zero"],
    ["not sent", scenario.notSent, "zero"],
    ["wrong reply", scenario.wrong, "zero"],
    ["truncated reply", scenario.truncated, "zero"],
    ["reply to another session", scenario.foreign, "zero"],
    ["reply out of order", scenario.reordered, "zero"],
    ["reply twice", duplicates, "zero"],
    ["unexpected frames", unexpected, "zero"],
    ["frames sent without a request", scenario.pushed],
    ["frames handled", scenario.handled],
  ];
}

function countTable(title: string, rows: readonly Row[]): Html {
  const cells = rows.map(([name, value, zero]) => {
    const failing = zero !== undefined && value !== null && value !== 0
      ? html`
        class="failing"
      `
      : "";
    return html`
      <tr>
        <th scope="row">${name}</th>
        <td${failing}>${formatCount(value)}</td></tr>
    `;
  });
  return html`
    <div class="card">
      <h3>${title}</h3>
      <table>
        <tbody>${cells}</tbody>
      </table>
    </div>
  `;
}

/** The agents that ran clients, and their clocks. */
export function agentFacts({ agents = [] }: Summary): [string, string][] {
  return agents.map(({ name, processes, clockOffsetMs, roundTripMs }) => [
    `Agent ${name}`,
    `${processes} ${processes === 1 ? "process" : "processes"}, clock offset ${formatMs(clockOffsetMs)} ms ` +
    `± ${formatMs(roundTripMs / 2)} ms`,
  ]);
}

/** Renders the thresholds and their results; nothing without thresholds. */
export function thresholdList({ thresholds }: Summary): Content {
  if (thresholds.length === 0) return "";
  return html`<ul class="findings">${
    thresholds.map((threshold) =>
      html`<li${
        threshold.holds ? "" : html`
          class="failing"
        `
      }>Threshold ${describeThreshold(threshold)}, which ${threshold.holds ? "holds" : "does not hold"}</li>`
    )
  }</ul>`;
}

/** The configuration of the run, and the machine. */
export function configurationTable(
  plan: Plan,
  { run, facts }: { run: RunEvent; facts: readonly (readonly [string, string])[] },
): Html {
  const { seed, window, arrival, replyDelay, payload } = plan.options;
  const rows: (readonly [string, string])[] = [
    ...(run.scenario === undefined ? [] : [["Scenario", printable(run.scenario)] as const]),
    ["Seed", String(seed)],
    ["Clients", formatCount(plan.clients)],
    ["Window", `${formatDuration(window)}, arrival ${arrival}`],
    ...(run.protocol === "scenario" ? [["Timeout of a request", formatDuration(plan.timeout)] as const] : [
      ["Reply delay", formatReplyDelay(replyDelay)] as const,
      ["Payload", formatPayload(payload)] as const,
      ["Timeout of a client", formatDuration(plan.timeout)] as const,
      ["Answers after its own ok", `for at most ${formatDuration(Math.round(plan.linger))}`] as const,
    ]),
    ["Deadline", formatDuration(plan.deadline)],
    ["Lag of the generator", `at most ${formatDuration(maxLagOf(run))}`],
    ["Planned peak of open clients", formatCount(plan.peakOpen)],
    ...facts,
  ];
  return html`
    <table class="words">
      <tbody>${rows.map(([name, value]) =>
        html`
          <tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr>
        `
      )}</tbody>
    </table>
  `;
}

/** Renders the key metrics at the top, each with a remark. */
export function keyFigures(summary: Summary): Html {
  const { latency, cpu } = summary;
  const { scenario } = summary;
  const figures: [string, string, string][] = [
    [
      scenario === undefined ? "Acknowledged" : "Answered as expected",
      formatCount(summary.acked),
      `of ${formatCount(scenario?.requests ?? summary.clients)}`,
    ],
    [
      scenario === undefined ? "Ok from planned start, p99" : "Reply from planned instant, p99",
      formatMs(latency.fromPlanned.p99),
      `p50 ${formatMs(latency.fromPlanned.p50)}`,
    ],
    scenario === undefined
      ? ["Added by the relay, p99", formatMs(latency.relay.p99), `p50 ${formatMs(latency.relay.p50)}`]
      : ["Requests per second", formatCount(scenario.perSecond), "answered as expected"],
    ["Open connections", formatCount(summary.peakConnections), "at peak"],
    [
      "Duration",
      formatMs(summary.durationMs),
      scenario === undefined
        ? `fairness ${summary.fairness ?? MISSING}`
        : `${formatCount(summary.clients)} clients`,
    ],
    ["Processor, cores", `${cores(cpu.server)} + ${cores(cpu.generator)}`, "server + generator"],
  ];
  return html`<dl class="key-figures">${
    figures.map(([name, value, remark]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}<small>${remark}</small></dd>
        </div>
      `
    )
  }</dl>`;
}

function cores(value: number | null): string {
  return value === null ? MISSING : value.toFixed(2);
}
