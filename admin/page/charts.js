// Charts of the last five minutes.
import { time } from "./format.js";
/* global uPlot */

const HEIGHT = 150;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Steps of an axis of bytes. */
const POWERS = Array.from({ length: 40 }, (_, power) => 2 ** power);

/** Marks of a logarithmic axis. */
function decades(low, high) {
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of high / low > 1000 ? [1] : [1, 3]) marks.push(factor * 10 ** power);
  }
  return marks.filter((mark) => mark >= low && mark <= high);
}

/** One chart in a figure of its own. */
export class Chart {
  #spec;
  #plot;
  #place;
  #figure;
  #data = [[]];

  constructor(spec, parent) {
    this.#spec = spec;
    this.#figure = document.createElement("figure");
    this.#figure.className = "chart";
    const caption = document.createElement("figcaption");
    const title = document.createElement("h2");
    title.textContent = spec.title;
    caption.append(title);
    spec.series.forEach(({ label }, index) => {
      const key = document.createElement("span");
      key.className = `key key-${index + 1}`;
      key.textContent = label;
      caption.append(key);
    });
    this.#place = document.createElement("div");
    this.#place.setAttribute("role", "img");
    this.#figure.append(caption, this.#place);
    parent.append(this.#figure);
    this.draw();
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(this.#place);
  }

  /** Shows frames, the oldest first. */
  update(frames) {
    const { series, log, title, show } = this.#spec;
    const value = (frame, key) => log && frame[key] !== null ? Math.max(frame[key], 0.01) : frame[key];
    this.#data = [
      frames.map(({ at }) => at / 1000),
      ...series.map(({ key }) => frames.map((frame) => value(frame, key))),
    ];
    this.#plot.setData(this.#data);
    const last = frames.at(-1);
    const now = last === undefined ? [] : series.map(({ label, key }) => `${label} ${show(last[key])}`);
    this.#place.setAttribute("aria-label", `${title}: ${now.join(", ")}`);
  }

  /** Draws anew: a plot asks for its colors only once. */
  draw() {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), this.#data, this.#place);
  }

  #size() {
    return { width: Math.max(200, this.#place.clientWidth), height: HEIGHT };
  }

  #options() {
    const { series, show, log, binary } = this.#spec;
    const axis = {
      stroke: () => css("--soft"),
      grid: { stroke: () => css("--grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 26, 0, 0],
      scales: {
        x: { time: true },
        y: log ? { distr: 3 } : { range: (_, __, high) => [0, high > 0 ? high * 1.1 : 1] },
      },
      axes: [
        { ...axis, size: 24, space: 80, values: (_, splits) => splits.map((at) => time(at * 1000)) },
        {
          ...axis,
          size: 62,
          values: (_, splits) => splits.map((y) => y === null ? "" : show(y)),
          ...(log ? { splits: (_, __, low, high) => decades(low, high), filter: (_, splits) => splits } : {}),
          ...(binary ? { incrs: POWERS } : {}),
        },
      ],
      series: [
        {},
        ...series.map((_, index) => ({
          stroke: () => css(`--series-${index + 1}`),
          width: 1.75,
          points: { show: false },
          spanGaps: true,
        })),
      ],
    };
  }
}
