/** Report sections of a scenario: its requests over time, its steps, metrics, and checks. Pure. @module */
import type { Ledger } from "../ledger/ledger.ts";
import type { Measurements } from "../metrics/measure.ts";
import type { Percentiles } from "../metrics/latency.ts";
import type { Summary } from "../metrics/summary.ts";
import type { Chart } from "./chart.ts";
import { type Content, type Html, html } from "./html.ts";
import { formatCount, formatMs, MISSING, significant } from "./number.ts";

const BUCKETS = 120;
/** The least duration that a logarithmic axis shows, in ms. */
const FINEST = 0.001;

/** Duration of replies by percentile. */
export function requestPercentiles({ fromPlanned, total }: Measurements): Chart {
  const last = 100 * (1 - 1 / (2 * Math.max(1, total.count)));
  const curve = (of: Measurements["total"]): number[] => of.curve().map(({ ms }) => Math.max(FINEST, ms));
  return {
    id: "percentiles",
    title: "Time to the reply, by percentile",
    description:
      `Half of the replies came within ${
        formatMs(fromPlanned.percentile(50))
      } of the planned instant, 99 % ` +
      `within ${formatMs(fromPlanned.percentile(99))}, all within ${formatMs(fromPlanned.max)}.`,
    x: {
      scale: "percentile",
      label: "Percentile",
      values: total.curve().map(({ percentile }) => Math.min(percentile, last)),
    },
    y: { label: "within", unit: "ms", log: true },
    series: [
      { label: "from planned instant", values: curve(fromPlanned), color: 1, style: "line" },
      { label: "from sending", values: curve(total), color: 2, style: "line", dashed: true },
    ],
  };
}

/** Requests and replies per second, and how long replies took, over the run. */
export function requestTimeCharts({ scenario }: Ledger): Chart[] {
  const end = scenario.endedAt.toArray().reduce((last, at) => Math.max(last, at), 1);
  const width = Math.max(10, end / BUCKETS);
  const count = Math.floor(end / width) + 1;
  const [due, sent, answered] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const durations = Array.from({ length: count }, (): number[] => []);
  for (let row = 0; row < scenario.length; row++) {
    const bucket = Math.max(0, Math.floor(scenario.due.at(row) / width));
    due[bucket]!++;
    sent[Math.floor(scenario.sent.at(row) / width)]!++;
    if (!scenario.isOk(row)) continue;
    answered[Math.floor(scenario.endedAt.at(row) / width)]!++;
    durations[bucket]!.push(scenario.endedAt.at(row) - scenario.due.at(row));
  }
  for (const list of durations) list.sort((a, b) => a - b);
  const perSecond = (counts: Float64Array): number[] => [...counts].map((one) => one * 1000 / width);
  const quantile = (share: number): (number | null)[] =>
    durations.map((list) =>
      list.length === 0 ? null : Math.max(FINEST, list[Math.ceil(share * list.length) - 1] ?? 0)
    );
  const x = {
    scale: "time",
    label: "Time",
    values: [...due].map((_, index) => index * width / 1000),
  } as const;
  return [
    {
      id: "rates",
      title: "Requests and replies per second",
      description: `In steps of ${formatMs(width)}: at most ${
        significant(Math.max(...perSecond(answered)))
      } replies per second.`,
      x,
      y: { label: "per second", unit: "number" },
      series: [
        { label: "planned", values: perSecond(due), color: 4, style: "step" },
        { label: "sent", values: perSecond(sent), color: 1, style: "step" },
        { label: "answered", values: perSecond(answered), color: 3, style: "step" },
      ],
    },
    {
      id: "latency",
      title: "Time to the reply, over the run",
      description: `For the requests planned for each ${formatMs(width)}, from the planned instant.`,
      x,
      y: { label: "within", unit: "ms", log: true },
      series: [
        { label: "max", values: quantile(1), color: 4, style: "line" },
        { label: "p99", values: quantile(0.99), color: 2, style: "line" },
        { label: "p50", values: quantile(0.5), color: 1, style: "line" },
      ],
    },
  ];
}

/** Tables of the steps, the custom metrics, and the checks. */
export function scenarioTables({ scenario }: Summary): Content {
  if (scenario === undefined) return "";
  const { steps, metrics, checks, sessions } = scenario;
  return html`
    <h2>Steps</h2>
    ${table(
      "Steps",
      ["requests", "as expected", "lost", ...NAMES],
      steps.map((
        { name, requests, ok, lost, latency },
      ) => [name, [requests, ok, lost].map(formatCount), ms(latency)]),
    )}
    ${metrics.length === 0 ? "" : html`<h2>Custom metrics</h2>${
      table(
        "Custom metrics",
        ["values", ...NAMES],
        metrics.map((metric) => [metric.name, [formatCount(metric.count)], plain(metric)]),
      )
    }`}
    ${checks.length === 0 ? "" : html`<h2>Checks</h2>${
      table(
        "Checks",
        ["held", "did not hold"],
        checks.map(({ name, passed, failed }) => [name, [passed, failed].map(formatCount), []]),
      )
    }`}
    <p>Sessions: ${formatCount(sessions.done)} done, ${formatCount(sessions.failed)} failed, ${formatCount(
      sessions.threw,
    )} threw an error, ${formatCount(sessions.unfinished)} unfinished. ${formatCount(
      scenario.perSecond,
    )} requests per second.</p>
  `;
}

const NAMES = ["p50", "p90", "p95", "p99", "p99.9", "max"];

function ms({ p50, p90, p95, p99, p999, max }: Percentiles): string[] {
  return [p50, p90, p95, p99, p999, max].map(formatMs);
}

function plain({ p50, p90, p95, p99, p999, max }: Percentiles): string[] {
  return [p50, p90, p95, p99, p999, max].map((value) => value === null ? MISSING : significant(value));
}

type Row = readonly [name: string, counts: readonly string[], values: readonly string[]];

function table(caption: string, head: readonly string[], rows: readonly Row[]): Html {
  return html`
    <div class="card">
      <div class="scroll">
        <table>
          <caption class="unseen">${caption}</caption>
          <thead>
            <tr><th></th>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr>
          </thead>
          <tbody>${rows.map(([name, counts, values]) =>
            html`<tr><th scope="row">${name}</th>${
              [...counts, ...values].map((cell) => html`<td>${cell}</td>`)
            }</tr>`
          )}</tbody>
        </table>
      </div>
    </div>
  `;
}
