// What the page shows of a load test.
import { count, duration, rate } from "./format.js";

/** Turns a sample, and the one before it, into the values of tiles and charts. */
export function derive(now, before) {
  return {
    ...now,
    startRate: rate(now, before, "started"),
    ackRate: rate(now, before, "acknowledged"),
    p50: now.latency?.p50 ?? null,
    p90: now.latency?.p90 ?? null,
    p99: now.latency?.p99 ?? null,
  };
}

const perSecond = (value) => value === null ? "–" : `${count(value)}/s`;

/** The tiles. */
export function tiles() {
  return [
    { label: "Elapsed", key: "elapsed", show: duration },
    { label: "Left at most", key: "left", show: duration },
    { label: "Clients", key: "clients", show: count },
    { label: "Started", key: "started", show: count },
    { label: "Starts", key: "startRate", show: perSecond },
    { label: "Speed", key: "speed", show: (speed) => `× ${Number(speed.toFixed(2))}` },
    { label: "Acknowledged", key: "acknowledged", show: count },
    { label: "Acks", key: "ackRate", show: perSecond },
    { label: "p50", key: "p50", show: duration },
    { label: "p99", key: "p99", show: duration },
    { label: "Open", key: "open", show: count },
    { label: "Resent", key: "resent", show: count },
    { label: "Lag p99", key: "generatorLag", show: duration },
  ];
}

/** The charts. */
export function charts() {
  return [
    {
      title: "Per second",
      show: count,
      series: [{ label: "starts", key: "startRate" }, { label: "acks", key: "ackRate" }],
    },
    {
      title: "Time to the ok so far",
      show: duration,
      log: true,
      series: [{ label: "p50", key: "p50" }, { label: "p90", key: "p90" }, { label: "p99", key: "p99" }],
    },
    { title: "Open connections", show: count, series: [{ label: "open", key: "open" }] },
    {
      title: "Lag of the generators so far",
      show: duration,
      series: [{ label: "p99", key: "generatorLag" }],
    },
  ];
}

const GOOD = ["proven", "delivered"];

/** The state in a few words, and its tone. */
export function status({ phase, paused, verdict, verdictSoFar }) {
  if (verdict !== null) return { text: capitalized(verdict), tone: GOOD.includes(verdict) ? "good" : "bad" };
  const text = capitalized(paused && phase === "running" ? "paused" : phase);
  if (verdictSoFar !== null) return { text: `${text}, ${verdictSoFar} already`, tone: "bad" };
  return { text, tone: text === "Running" ? "good" : "odd" };
}

/** The buttons, by the action that each of them asks for. */
export function controls({ phase, paused }) {
  const disabled = phase !== "running";
  return [
    paused ? { action: "resume", label: "Resume", disabled } : { action: "pause", label: "Pause", disabled },
    {
      action: "stop",
      label: "Stop",
      disabled: disabled && phase !== "starting",
      danger: true,
      confirm: "Stop this load test? Its verdict will be “interrupted”.",
    },
  ];
}

/** The choices of speed, while there is something left to start. */
export function speeds({ phase, stage, stages, speed }) {
  if (phase !== "running" || stages.length === 0 || stage >= stages.length - 1) return undefined;
  const offered = [0.1, 0.25, 0.5, 1, 2, 5, 10];
  return [...new Set([...offered, Number(speed.toFixed(2))])].sort((a, b) => a - b).map((value) => ({
    value,
    label: `× ${value}`,
    chosen: value === Number(speed.toFixed(2)),
  }));
}

/** The stages of the run, and how far each has come: 0 to 1. */
export function stages({ phase, stages, stage, stageElapsed }) {
  const over = phase === "judging" || phase === "done";
  return stages.map(({ label, duration }, index) => ({
    label,
    now: index === stage && !over,
    done: over || index < stage
      ? 1
      : index > stage || duration === null
      ? 0
      : Math.min(1, stageElapsed / duration),
  }));
}

function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
