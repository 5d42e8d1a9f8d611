// What the report does once it is open: draws its charts with uPlot, and copies the command. Runs in a browser.
/* global uPlot */

const charts = JSON.parse(document.getElementById("charts").textContent);
const HEIGHT = 250;
const PRINTED_WIDTH = 680;
const SYNC = "run"; // the charts over time share one cursor
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function significant(value) {
  const digits = Math.abs(value) >= 999.5
    ? 0
    : Math.abs(value) >= 99.95
    ? 0
    : Math.abs(value) >= 9.995
    ? 1
    : 3;
  return Number(value.toFixed(digits)).toLocaleString("en", { maximumFractionDigits: 3 });
}

function ms(value) {
  if (value < 1) return `${significant(value * 1000)} µs`;
  return value < 999.5 ? `${significant(value)} ms` : `${significant(value / 1000)} s`;
}

/** How much of 100 % is left, turned over: the axis on which each further nine takes as much room as the last. */
const ninesOf = (percentile) => 1 / (1 - percentile / 100);
const percentileOf = (nines) => `${Number((100 - 100 / nines).toPrecision(nines < 100 ? 2 : 8))}%`;
const PERCENTILES = [50, 75, 90, 99, 99.9, 99.99, 99.999, 99.9999];

const HORIZONTAL = {
  time: { log: false, value: (x) => `${significant(x)} s` },
  rate: { log: true, value: significant },
  duration: { log: false, value: ms },
  "log-duration": { log: true, value: ms },
  percentile: { log: true, value: percentileOf, place: ninesOf },
};

/** On a logarithmic axis: the decades, and between them 2 and 5 while there are few. */
function decades(from, to) {
  const span = Math.log10(to / from);
  const factors = span <= 3 ? [1, 2, 5] : [1];
  const places = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const factor of factors) places.push(factor * 10 ** power);
  }
  return places.filter((place) => place >= from * 0.999 && place <= to * 1.001);
}

/** Room of a character of a label, and between two labels, in px. */
const CHARACTER = 7;
const GAP = 4;

/** The labels of the horizontal axis; on a logarithmic one, without those that would overlap the one before. */
function labelsOf(plot, splits, { log, value }) {
  let end = -Infinity;
  return splits.map((x) => {
    if (x === null) return "";
    const text = value(x);
    if (!log) return text;
    const [center, half] = [plot.valToPos(x, "x"), text.length * CHARACTER / 2];
    if (center - half < end) return "";
    end = center + half + GAP;
    return text;
  });
}

/** The range of what is on a logarithmic axis, with a little room, rather than whole decades. */
function logRange(_, low, high) {
  if (!(low > 0)) return [0.001, 1];
  return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
}

const PATHS = {
  line: uPlot.paths.linear(),
  step: uPlot.paths.stepped({ align: 1 }),
  area: uPlot.paths.stepped({ align: 1 }),
  bars: uPlot.paths.bars({ size: [1, Infinity, 2], align: 1, gap: 1 }),
};

/** How opaque the ground under a series is, as two hexadecimal digits; bars that are stacked hide what is behind. */
const grounds = { area: "2e", bars: "99", stacked: "ff" };

function seriesOf({ label, color, style, dashed, values }, { unit, stacked }) {
  const stroke = () => css(`--series-${color}`);
  const ground = grounds[stacked ? "stacked" : style];
  const shown = unit === "ms" ? ms : significant;
  return {
    label,
    stroke,
    width: style === "bars" ? 0 : 1.75,
    points: { show: false },
    paths: PATHS[style],
    value: (_, __, ___, index) => shownOr(shown, values[index]),
    ...(ground === undefined ? {} : { fill: () => stroke() + ground }),
    ...(dashed ? { dash: [5, 4] } : {}),
  };
}

function shownOr(shown, value) {
  return value === null || value === undefined ? "–" : shown(value);
}

/** Each series on top of those after it, so that it is drawn before them and seen above them. */
function stack(series) {
  const stacked = series.map(({ values }) => [...values]);
  for (let row = stacked.length - 2; row >= 0; row--) {
    stacked[row] = stacked[row].map((value, index) => value + stacked[row + 1][index]);
  }
  return stacked;
}

/** Steps of an axis without a fraction: all that is not logarithmic here is counted. */
const WHOLE_STEPS = Array.from({ length: 24 }, (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3));

function axis(extra) {
  const ink = () => css("--soft");
  return {
    stroke: ink,
    grid: { stroke: () => css("--grid"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
    ...extra,
  };
}

/** The room for a plot in px; the least that can be read where it is folded away. */
const widthOf = (place) => Math.max(240, place.clientWidth);

function draw(chart, width) {
  const place = document.getElementById(chart.id);
  const horizontal = HORIZONTAL[chart.x.scale];
  const toPlace = horizontal.place ?? ((x) => x);
  const shown = chart.y.unit === "ms" ? ms : significant;
  const options = {
    width: width ?? widthOf(place),
    height: HEIGHT,
    cursor: {
      y: false,
      ...(chart.x.scale === "time" ? { sync: { key: SYNC } } : {}),
    },
    scales: {
      x: {
        time: false,
        distr: horizontal.log ? 3 : 1,
        ...(horizontal.log ? { range: (_, low, high) => [low, high] } : {}),
      },
      y: chart.y.log
        ? { distr: 3, range: logRange }
        : { range: (_, low, high) => [Math.min(0, low), high * 1.08 || 1] },
    },
    axes: [
      axis({
        values: (plot, splits) => labelsOf(plot, splits, horizontal),
        ...(horizontal.log ? { filter: (_, splits) => splits } : {}),
        ...(chart.x.scale === "percentile"
          ? {
            splits: (_, __, low, high) => PERCENTILES.map(ninesOf).filter((x) => x >= low && x <= high),
            space: 20,
          }
          : horizontal.log
          ? { splits: (_, __, low, high) => decades(low, high) }
          : { space: 70 }),
      }),
      axis({
        label: chart.y.label,
        size: 64,
        labelSize: 18,
        values: (_, splits) => splits.map((y) => y === null ? "" : shown(y)),
        incrs: WHOLE_STEPS,
        ...(chart.y.log
          ? { splits: (_, __, low, high) => decades(low, high), filter: (_, splits) => splits }
          : {}),
      }),
    ],
    series: [
      { label: chart.x.label, value: (_, x) => shownOr(horizontal.value, x) },
      ...chart.series.map((series) => seriesOf(series, chart.y)),
    ],
  };
  const columns = chart.y.stacked ? stack(chart.series) : chart.series.map(({ values }) => values);
  const data = [chart.x.values.map(toPlace), ...columns];
  return new uPlot(options, data, place);
}

let plots = charts.map((chart) => draw(chart));

/** Draws all again: a plot asks for its colors, and some of them for its legend, once. */
function drawAgain(width) {
  for (const plot of plots) plot.destroy();
  plots = charts.map((chart) => draw(chart, width));
}

addEventListener("resize", () => {
  for (const plot of plots) plot.setSize({ width: widthOf(plot.root.parentElement), height: HEIGHT });
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAgain());
// Paper is white, whatever the screen was.
addEventListener("beforeprint", () => {
  document.documentElement.dataset.print = "";
  drawAgain(PRINTED_WIDTH);
});
addEventListener("afterprint", () => {
  delete document.documentElement.dataset.print;
  drawAgain();
});

// A page without a command has no button.
document.getElementById("copy")?.addEventListener("click", async ({ target: copy }) => {
  const command = document.getElementById("command");
  try {
    await navigator.clipboard.writeText(command.textContent);
    copy.textContent = "Copied";
  } catch {
    // Not allowed for this page: then the text is at least selected.
    getSelection().selectAllChildren(command);
    copy.textContent = "Selected: copy it now";
  }
});
