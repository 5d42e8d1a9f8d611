/** The report of a run: a self-contained HTML page. @module */
import { plural } from "../../internal/plural.ts";
import { printable } from "../../internal/printable.ts";
import { type Finding, groupFindings, leadingFindings } from "../judge/findings.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Measurements } from "../metrics/measure.ts";
import type { Plan } from "../plan/plan.ts";
import { describePace } from "../pace/pace_summary.ts";
import type { Summary } from "../metrics/summary.ts";
import { createTimeline } from "../metrics/timeline.ts";
import { verdictSentences } from "../judge/verdict_text.ts";
import { type Chart, renderChart } from "./chart.ts";
import { type Content, type Html, html } from "./html.ts";
import { describeHolds, histogramChart, holdChart, percentileChart } from "./latency_charts.ts";
import { formatCount, formatMs } from "./number.ts";
import { renderPage } from "./page.ts";
import { requestPercentiles, requestTimeCharts, scenarioTables } from "./scenario_section.ts";
import {
  agentFacts,
  configurationTable,
  countTables,
  keyFigures,
  latencyTable,
  thresholdList,
} from "./tables.ts";
import { lagChart, latencyChart, openChart, rateChart, troubleChart } from "./time_charts.ts";

/** The contents of a report. */
export interface ReportInput {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly summary: Summary;
  readonly measures: Measurements;
  /** The command line that runs the same plan again, quoted for a shell. Default: a program ran it. */
  readonly command?: string;
  readonly version: string;
  /** When the run began. */
  readonly startedAt: Date;
  /** Properties of the machine, as pairs of name and value. */
  readonly machine: readonly (readonly [string, string])[];
}

/** Number of buckets: few enough to show more than chance, and enough for a curve. */
const BUCKETS = 200;

const TONES: Readonly<Record<Summary["verdict"], "good" | "bad" | "odd">> = {
  proven: "good",
  delivered: "good",
  failed: "bad",
  invalid: "odd",
  threshold: "odd",
  interrupted: "odd",
};

/**
 * Renders the report as HTML.
 *
 * The page loads nothing from elsewhere, and its `Content-Security-Policy` allows only the two scripts in it, whatever
 * texts the run contains.
 */
export function renderReport(input: ReportInput): string {
  const { plan, ledger, summary, measures, command, version, startedAt, machine } = input;
  const timeline = createTimeline(ledger, { buckets: BUCKETS });
  const hold = holdChart(plan, ledger);
  const trouble = troubleChart(timeline);
  const measured = measures.total.count > 0;
  const isScenario = ledger.run.protocol === "scenario";
  const latency = !measured
    ? []
    : isScenario
    ? [requestPercentiles(measures)]
    : [percentileChart(measures), histogramChart(ledger)];
  const overTime = isScenario
    ? [openChart(timeline), ...requestTimeCharts(ledger)]
    : [openChart(timeline), rateChart(timeline), ...(measured ? [latencyChart(timeline)] : [])];
  const health = lagChart(timeline, { ledger, summary });
  const charts = [...latency, ...overTime, ...maybe(hold), ...maybe(trouble), health];
  const { scenario } = summary;
  const name = scenario?.name === undefined ? "" : `${printable(scenario.name)}, `;
  const title = `${capitalized(summary.verdict)}: ${name}${describeClients(summary)}`;

  const body = html`<main>
    ${verdictSection(input)}
    ${keyFigures(summary)}
    <h2>${isScenario ? "Time to the reply" : "Time to the ok"}</h2>
    ${
    measured
      ? grid(latency)
      : html`<p>${
        isScenario ? "No request was answered" : "No message was acknowledged"
      }, so there is nothing to show.</p>`
  }
    <h2>Durations</h2>
    <div class="card">${latencyTable(summary)}</div>
    <h2>Over the run</h2>
    ${grid(overTime)}
    ${scenarioTables(summary)}
    ${
    isScenario
      ? ""
      : html`<h2>Reply delay</h2>${hold ? grid([hold]) : html`<p>${describeHolds(measures)}</p>`}`
  }
    <h2>${isScenario ? "Unnatural ends" : "Resends, faults, and unnatural ends"}</h2>
    ${
    trouble
      ? grid([trouble])
      : html`<p>None: ${
        isScenario ? "" : "no message was sent or delivered twice, and "
      }every connection ended naturally.</p>`
  }
    <h2>The generator</h2>
    ${grid([health])}
    <h2>Counts</h2>
    ${countTables(summary, ledger.run)}
    <h2>Configuration</h2>
    <div class="card">${
    configurationTable(plan, {
      run: ledger.run,
      facts: [["okline", version], ...machine, ...agentFacts(summary)],
    })
  }</div>
    ${
    command === undefined ? "" : html`
      <h2>Run it again</h2>
      <div
        class="command"><pre><code id="command">${command}</code></pre><button id="copy" type="button">Copy</button></div>
    `
  }
    <h2>Everything, as JSON</h2>
    <details class="json"><summary>The summary of this run</summary><pre>${
    JSON.stringify(summary, null, 2)
  }</pre></details>
    <p class="run">Made by okline ${version} at ${startedAt.toISOString()}. Times in charts count from the beginning of the run.</p>
    <noscript><p>The charts need JavaScript; the tables below them have the same figures.</p></noscript>
  </main>`;
  return renderPage({ title, body, charts });
}

function verdictSection({ summary, startedAt }: ReportInput): Html {
  const { verdict } = summary;
  const { own, following } = groupFindings(summary);
  const [first, second] = [leadingFindings(own), leadingFindings(following)];
  const others = [...first.others, ...second.others];
  const [sentence, ...counted] = verdictSentences(summary);
  return html`
    <header class="verdict ${TONES[verdict]}">
        ${summary.scenario?.name === undefined
          ? ""
          : html`<p class="scenario">Scenario ${printable(summary.scenario.name)}</p>`}
        <h1>${capitalized(verdict)}</h1>
        <p>${sentence}.</p>
        ${counted.map((text) => html`<p class="counted">${text}.</p>`)}
        ${findingList(first.leading)}
        ${followingList(second.leading)}
    ${others.length === 0
      ? ""
      : html`<details><summary>${plural(others.length, "more finding")}</summary>${
        findingList(others)
      }</details>`}
    ${thresholdList(summary)}
      </header>
    <p class="run">${describeClients(summary)}, ${startedAt.toISOString()
      .slice(0, 16).replace("T", " ")} UTC, took ${formatMs(summary.durationMs)}${summary.pace === undefined
      ? ""
      : `; ${describePace(summary.pace)}`}</p>
  `;
}

function describeClients({ clients, seed }: Summary): string {
  return `${plural(clients, "client", { format: formatCount })}, seed ${seed}`;
}

function followingList(findings: readonly Finding[]): Content {
  if (findings.length === 0) return "";
  return html`<section class="following"><h2>Follows from this</h2>${findingList(findings)}</section>`;
}

function findingList(findings: readonly Finding[]): Content {
  if (findings.length === 0) return "";
  return html`<ul class="findings">${findings.map(({ text }) => html`<li>${text}</li>`)}</ul>`;
}

function grid(charts: readonly Chart[]): Html {
  return html`<div class="charts">${charts.map(renderChart)}</div>`;
}

function maybe<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
