// The page: follows the program by server-sent events.
import { Chart } from "./charts.js";
import { ConnectionTable } from "./connections.js";
import { act } from "./control.js";
import { count } from "./format.js";
import * as loadTestView from "./loadtest_view.js";
import * as serverView from "./server_view.js";

const KEPT = 300;
const element = (id) => document.getElementById(id);

const info = await (await fetch("info")).json();
const view = info.kind === "server" ? serverView : loadTestView;
document.title = `${info.name} · okline`;
element("name").textContent = info.name;
element("name").title = `okline ${info.version}`;
const table = info.connections ? new ConnectionTable() : undefined;

let frames = [];
let last;
let charts = [];
let ended = false;
let shownSpeed;

function take(sample) {
  frames.push(view.derive(sample, last));
  if (frames.length > KEPT) frames.shift();
  last = sample;
}

function show() {
  const frame = frames.at(-1);
  if (frame === undefined) return;
  if (charts.length === 0) charts = view.charts(last).map((spec) => new Chart(spec, element("charts")));
  for (const chart of charts) chart.update(frames);
  showStatus(view.status(last));
  showPairs(element("tiles"), view.tiles(last).map(({ label, key, show }) => [label, show(frame[key])]));
  showControls(view.controls(last));
  showCounts(last.closed);
  showFindings(last.findings);
  showStages(view.stages?.(last) ?? []);
  showSpeeds(view.speeds?.(last));
  showProgress(last);
}

function showStatus({ text, tone }) {
  const status = element("status");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.tone = tone;
}

/** Changes what has changed: a list that is built anew would be read aloud again. */
function showPairs(list, pairs) {
  while (list.children.length > pairs.length) list.lastChild.remove();
  pairs.forEach(([label, value], index) => {
    let pair = list.children[index];
    if (pair === undefined) {
      pair = document.createElement("div");
      pair.append(document.createElement("dt"), document.createElement("dd"));
      list.append(pair);
    }
    if (pair.firstChild.textContent !== label) pair.firstChild.textContent = label;
    if (pair.lastChild.textContent !== value) pair.lastChild.textContent = value;
  });
}

function showControls(controls) {
  const group = element("controls");
  while (group.children.length > controls.length) group.lastChild.remove();
  controls.forEach((control, index) => {
    let button = group.children[index];
    if (button === undefined) {
      button = document.createElement("button");
      button.type = "button";
      button.addEventListener("click", async () => {
        const { action, label, confirm } = button.control;
        await act(action, { label, confirm });
        table?.refresh();
      });
      group.append(button);
    }
    button.control = control;
    button.dataset.action = control.action;
    if (button.textContent !== control.label) button.textContent = control.label;
    button.disabled = (control.disabled ?? false) || ended;
    button.classList.toggle("danger", control.danger ?? false);
  });
}

function showCounts(closed) {
  const pairs = Object.entries(closed ?? {}).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
  element("counts-section").hidden = pairs.length === 0;
  showPairs(element("counts"), pairs.map(([reason, value]) => [reason, count(value)]));
}

function showFindings(findings) {
  element("findings-section").hidden = findings === undefined || findings.length === 0;
  const list = element("findings");
  (findings ?? []).forEach((text, index) => {
    const item = list.children[index] ?? list.appendChild(document.createElement("li"));
    if (item.textContent !== text) item.textContent = text;
  });
  while (list.children.length > (findings ?? []).length) list.lastChild.remove();
}

function showStages(stages) {
  element("stages-section").hidden = stages.length === 0;
  const list = element("stages");
  while (list.children.length > stages.length) list.lastChild.remove();
  stages.forEach(({ label, now, done }, index) => {
    let item = list.children[index];
    if (item === undefined) {
      item = list.appendChild(document.createElement("li"));
      const bar = document.createElement("progress");
      item.append(document.createElement("span"), bar);
    }
    const [text, bar] = item.children;
    if (text.textContent !== label) text.textContent = label;
    bar.setAttribute("aria-label", label);
    bar.value = done;
    if (now) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}

/** Shows the choices of speed. Options that stay are left alone: an open list would close. */
function showSpeeds(speeds) {
  element("speed-label").hidden = speeds === undefined;
  if (speeds === undefined) return;
  const select = element("speed");
  const known = [...select.options].map(({ value }) => value).join();
  if (known !== speeds.map(({ value }) => value).join()) {
    select.replaceChildren(...speeds.map(({ value, label }) => new Option(label, value)));
  }
  // Only a new speed is shown, because the list may be open.
  const { value } = speeds.find(({ chosen }) => chosen);
  if (value !== shownSpeed) select.value = value;
  shownSpeed = value;
  select.disabled = ended;
}

element("speed").addEventListener("change", async ({ target }) => {
  if (!await act(`rate?speed=${target.value}`, { label: `Speed × ${target.value}` })) {
    target.value = shownSpeed;
  }
});

function showProgress({ finished, clients }) {
  const progress = element("progress");
  progress.hidden = clients === undefined;
  if (clients === undefined) return;
  progress.max = clients;
  progress.value = finished;
}

const events = new EventSource("events");
events.addEventListener("history", ({ data }) => {
  frames = [];
  last = undefined;
  for (const sample of JSON.parse(data)) take(sample);
  ended = false;
  if (frames.length === 0) showStatus({ text: "Waiting for the first sample", tone: "odd" });
  show();
});
events.addEventListener("sample", ({ data }) => {
  take(JSON.parse(data));
  show();
});
events.addEventListener("error", () => {
  ended = true;
  // A load test ends with its verdict.
  if (typeof last?.verdict !== "string") showStatus({ text: "Not connected", tone: "bad" });
  for (const button of element("controls").children) button.disabled = true;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) chart.draw();
});
