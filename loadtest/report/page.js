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

/** The range of what is on a logarithmic axis, with a little room, rather than whole decades. */
function logRange(_, low, high) {
  if (!(low > 0)) return [0.001, 1];
  return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
}

const PATHS = {
  line: uPlot.paths.linear(),
  step: uPlot.paths.stepped({ align: 1 }),
  area: uPlot.paths.stepped({ align: 1 }),
  bars: uPlot.paths.bars({ size: [1, Infinity], align: 1, gap: 1 }),
};

function seriesOf({ label, color, style, dashed }, { unit }) {
  const stroke = () => css(`--series-${color}`);
  const filled = style === "bars" || style === "area";
  return {
    label,
    stroke,
    width: style === "bars" ? 0 : 1.75,
    points: { show: false },
    paths: PATHS[style],
    value: (_, value) =>
      value === null || value === undefined ? "–" : unit === "ms" ? ms(value) : significant(value),
    ...(filled ? { fill: () => `${stroke()}${style === "bars" ? "99" : "2e"}` } : {}),
    ...(dashed ? { dash: [5, 4] } : {}),
  };
}

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

function draw(chart) {
  const place = document.getElementById(chart.id);
  const horizontal = HORIZONTAL[chart.x.scale];
  const toPlace = horizontal.place ?? ((x) => x);
  const shown = chart.y.unit === "ms" ? ms : significant;
  const options = {
    width: place.clientWidth,
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
        values: (_, splits) => splits.map((x) => x === null ? "" : horizontal.value(x)),
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
        ...(chart.y.log
          ? { splits: (_, __, low, high) => decades(low, high), filter: (_, splits) => splits }
          : {}),
      }),
    ],
    series: [
      { label: chart.x.label, value: (_, x) => x === null || x === undefined ? "–" : horizontal.value(x) },
      ...chart.series.map((series) => seriesOf(series, chart.y)),
    ],
  };
  const data = [chart.x.values.map(toPlace), ...chart.series.map(({ values }) => values)];
  const plot = new uPlot(options, data, place);
  place.dataset.drawn = String(chart.series.length);
  return { place, plot };
}

const plots = charts.map(draw);

function fit({ place, plot }, width = place.clientWidth) {
  if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
}

addEventListener("resize", () => plots.forEach((plot) => fit(plot)));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  plots.forEach(({ plot }) => plot.redraw(false));
});
// Paper is white, whatever the screen was.
addEventListener("beforeprint", () => {
  document.documentElement.dataset.print = "";
  for (const plot of plots) {
    fit(plot, PRINTED_WIDTH);
    plot.plot.redraw(false);
  }
});
addEventListener("afterprint", () => {
  delete document.documentElement.dataset.print;
  for (const plot of plots) {
    fit(plot);
    plot.plot.redraw(false);
  }
});

const copy = document.getElementById("copy");
copy.addEventListener("click", async () => {
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
