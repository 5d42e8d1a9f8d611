/** A self-contained page, with styles, scripts, and charts. @module */
import { createHash } from "node:crypto";
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import type { Chart } from "./chart.ts";
import { type Content, Html, html, jsonScript } from "./html.ts";
import pageScript from "./page.js" with { type: "text" };
import pageStyle from "./page.css" with { type: "text" };

/** A page of a report. */
export interface Page {
  readonly title: string;
  readonly body: Content;
  readonly charts: readonly Chart[];
}

/** Renders a self-contained page. */
export function renderPage({ title, body, charts }: Page): string {
  const styles = [uplotStyle, pageStyle];
  const scripts = [uplotScript, pageScript];
  const policy = `default-src 'none'; style-src ${hashesOf(styles)}; script-src ${
    hashesOf(scripts)
  }; base-uri 'none'`;
  return `<!doctype html>\n${
    html`
      <html lang="en">
        <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>${title}</title>
      ${styles.map((style) => html`<style>${new Html(style)}</style>`)}
        </head>
        <body>
      ${body}
      <script type="application/json" id="charts">${jsonScript(charts.map(rounded))}</script>
      ${scripts.map((script) => html`<script>${new Html(script)}</script>`)}
        </body>
      </html>
    `.markup
  }\n`;
}

function hashesOf(texts: readonly string[]): string {
  return texts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" ");
}

/** Rounds the values of a chart, because more digits than a screen shows would only make the page larger. */
function rounded(chart: Chart): Chart {
  const digits = (value: number): number => Number(value.toPrecision(5));
  return {
    ...chart,
    x: { ...chart.x, values: chart.x.scale === "percentile" ? chart.x.values : chart.x.values.map(digits) },
    series: chart.series.map((series) => ({
      ...series,
      values: series.values.map((value) => (value === null ? null : digits(value))),
    })),
  };
}
