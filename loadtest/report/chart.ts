/** A chart as plain data, and its markup: `page.js` draws it, and a table makes it accessible. Pure. @module */
import { type Content, type Html, html } from "./html.ts";
import { formatMs, MISSING, significant } from "./number.ts";

/** The horizontal axis: seconds of the run, percent of the clients, or a duration. */
export type HorizontalScale = "rate" | "time" | "percentile" | "duration" | "log-duration";

/** The style of a series. */
export type SeriesStyle = "line" | "step" | "area" | "bars";

/** One series of a chart. */
export interface Series {
  readonly label: string;
  /** A value for each position of the horizontal axis; `null` if there is none. */
  readonly values: readonly (number | null)[];
  /** A color of the page by its number, from 1. */
  readonly color: number;
  readonly style: SeriesStyle;
  readonly dashed?: boolean;
}

/** A chart. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** A sentence or two about what it shows in this run. */
  readonly description: string;
  readonly x: {
    readonly scale: HorizontalScale;
    readonly label: string;
    /** Ascending: seconds, percent below 100, or ms. */
    readonly values: readonly number[];
  };
  readonly y: {
    readonly label: string;
    readonly unit: "ms" | "number";
    readonly log?: boolean;
    readonly stacked?: boolean;
  };
  readonly series: readonly Series[];
}

/** Most rows of a table, which is thinned out beyond this. The chart has all values. */
const ROWS = 25;

/** Renders the markup of a chart. */
export function renderChart(chart: Chart): Html {
  const { id, title, description } = chart;
  return html`
    <figure class="chart" aria-labelledby="${id}-title" aria-describedby="${id}-says">
      <h3 id="${id}-title">${title}</h3>
      <p id="${id}-says">${description}</p>
      <div class="plot" id="${id}" role="img" aria-labelledby="${id}-title"></div>
      <details class="data"><summary>As a table</summary>${tableOf(chart)}</details>
    </figure>
  `;
}

function tableOf({ title, x, y, series }: Chart): Html {
  const step = Math.max(1, Math.ceil(x.values.length / ROWS));
  const rows = x.values.flatMap((at, index): Content[] => {
    if (index % step !== 0 && index !== x.values.length - 1) return [];
    const cells = series.map(({ values }) => html`<td>${formatValue(values[index] ?? null, y.unit)}</td>`);
    return [html`<tr><th scope="row">${formatPlace(at, x.scale)}</th>${cells}</tr>`];
  });
  const thinned = step > 1 ? html`<p class="remark">One row in ${step} of the chart.</p>` : "";
  return html`
    <div class="scroll">
      <table>
        <caption class="unseen">${title}</caption>
        <thead>
          <tr><th scope="col">${x.label}</th>${series.map(({ label }) =>
            html`<th scope="col">${label}</th>`
          )}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>${thinned}
  `;
}

function formatValue(value: number | null, unit: Chart["y"]["unit"]): string {
  if (value === null) return MISSING;
  return unit === "ms" ? formatMs(value) : significant(value);
}

function formatPlace(at: number, scale: HorizontalScale): string {
  switch (scale) {
    case "time":
      return `${Number(at.toFixed(3))} s`;
    case "rate":
      return significant(at);
    case "percentile":
      return `${Number(at.toFixed(4))} %`;
    default:
      return formatMs(at);
  }
}
