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
    lagP99: now.lag?.p99 ?? null,
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
    { label: "Acknowledged", key: "acknowledged", show: count },
    { label: "Acks", key: "ackRate", show: perSecond },
    { label: "p50", key: "p50", show: duration },
    { label: "p99", key: "p99", show: duration },
    { label: "Open", key: "open", show: count },
    { label: "Resent", key: "resent", show: count },
    { label: "Loop lag p99", key: "lagP99", show: duration },
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
    { title: "Event-loop lag", show: duration, series: [{ label: "p99", key: "lagP99" }] },
  ];
}

const GOOD = ["proven", "delivered"];

/** The state in a few words, and its tone. */
export function status({ phase, verdict }) {
  const text = verdict ?? phase;
  const tone = verdict === null
    ? (phase === "running" ? "good" : "odd")
    : GOOD.includes(verdict)
    ? "good"
    : "bad";
  return { text: text.charAt(0).toUpperCase() + text.slice(1), tone };
}

/** The buttons, by the action that each of them asks for. */
export function controls({ phase }) {
  return [{
    action: "stop",
    label: "Stop",
    disabled: phase !== "running" && phase !== "starting",
    danger: true,
    confirm: "Stop this load test? Its verdict will be “interrupted”.",
  }];
}
