/** The report of a capacity search: one page, with latency against rate. @module */
import { html } from "../report/html.ts";
import type { Chart } from "../report/chart.ts";
import { renderPage } from "../report/page.ts";
import { renderChart } from "../report/chart.ts";
import { formatCount, formatMs } from "../report/number.ts";
import type { CapacityEnding, Level } from "./search.ts";

/** The contents of a report. */
export interface CapacityReportInput {
  /** The answer in a sentence. */
  readonly answer: string;
  /** A sentence about failures that may not depend on the rate. */
  readonly doubt?: string | undefined;
  /** A sentence about a search that ended early, because the rate is not the reason. */
  readonly early?: string | undefined;
  readonly ending: CapacityEnding;
  readonly levels: readonly (Level & {
    readonly perSecond: number;
    readonly p50: number | null;
    readonly p99: number | null;
  })[];
  /** The unit of the rates, such as `messages`. */
  readonly unit: string;
  /** The command line. */
  readonly args: readonly string[];
}

const TONES: Readonly<Record<CapacityEnding, string>> = {
  server: "good",
  generator: "odd",
  network: "odd",
  "not found": "odd",
  interrupted: "odd",
};
/** The least duration that a logarithmic axis shows, in ms. */
const FINEST = 0.001;

/** Renders the page. */
export function renderCapacityReport(
  { answer, doubt, early, ending, levels, unit, args }: CapacityReportInput,
): string {
  // A rate that was tried again counts by its last run.
  const byRate = new Map(levels.map((level) => [level.rate, level]));
  const sorted = [...byRate.values()].sort((one, other) => one.rate - other.rate);
  const of = (value: (level: (typeof sorted)[number]) => number | null): (number | null)[] =>
    sorted.map((level) => {
      const ms = level.result === "invalid" || level.result === "network" ? null : value(level);
      return ms === null ? null : Math.max(FINEST, ms);
    });
  const chart: Chart = {
    id: "capacity",
    title: "Latency against rate",
    description:
      `From the planned instant, at each rate that was tried; rates at which the generator was late are left out.`,
    x: { scale: "rate", label: `${unit} per second`, values: sorted.map(({ rate }) => rate) },
    y: { label: "within", unit: "ms", log: true },
    series: [
      { label: "p99", values: of(({ p99 }) => p99), color: 2, style: "line" },
      { label: "p50", values: of(({ p50 }) => p50), color: 1, style: "line" },
    ],
  };
  const rows = levels.map(({ rate, perSecond, p50, p99, result, why, confirms }) =>
    html`
      <tr>
        <th scope="row">${formatCount(rate)}</th>
        <td>${formatCount(perSecond)}</td>
        <td>${formatMs(p50)}</td>
        <td>${formatMs(p99)}</td>
        <td>${result}${confirms ? ", longer run" : ""}</td>
        <td>${why}</td>
      </tr>
    `
  );
  const body = html`
    <main>
      <header class="verdict ${TONES[ending]}">
        <h1>Capacity</h1>
        <p>${answer}.</p>
        ${[doubt, early].map((text) => text === undefined ? "" : html`<p>${text}.</p>`)}
      </header>
      <h2>Latency against rate</h2>
      <div class="charts">${renderChart(chart)}</div>
      <h2>Rates, in the order in which they were tried</h2>
      <div class="card">
        <div class="scroll">
          <table>
            <thead>
              <tr>${["rate", "answered per second", "p50", "p99", "result", "why"].map((name) =>
                html`<th scope="col">${name}</th>`
              )}</tr>
            </thead>
            <tbody>${rows}</tbody>
          </table>
        </div>
      </div>
      <h2>Command</h2>
      <div class="command">
        <pre><code>${args.join(" ")}</code></pre>
      </div>
    </main>
  `;
  return renderPage({ title: `Capacity: ${answer}`, body, charts: [chart] });
}
