// What the page shows of a server.
import { count, duration, rate, size } from "./format.js";

/** Turns a sample, and the one before it, into the values of tiles and charts. */
export function derive(now, before) {
  return {
    ...now,
    messageRate: rate(now, before, "messages"),
    ackRate: rate(now, before, "acks"),
    acceptRate: rate(now, before, "accepted"),
    inRate: rate(now, before, "bytesIn"),
    outRate: rate(now, before, "bytesOut"),
    ackP50: now.ack?.p50 ?? null,
    ackP90: now.ack?.p90 ?? null,
    ackP99: now.ack?.p99 ?? null,
    lagP99: now.lag?.p99 ?? null,
  };
}

const perSecond = (value) => value === null ? "–" : `${count(value)}/s`;

const all = [
  { label: "Connections", key: "connections", show: count },
  { label: "Accepted", key: "acceptRate", show: perSecond },
  { label: "Refused", key: "refused", show: count },
  { label: "Messages", key: "messageRate", show: perSecond },
  { label: "Acks", key: "ackRate", show: perSecond, relay: true },
  { label: "Ack p50", key: "ackP50", show: duration, relay: true },
  { label: "Ack p99", key: "ackP99", show: duration, relay: true },
  { label: "Pending", key: "pending", show: count, relay: true },
  { label: "Redelivered", key: "redelivered", show: count, relay: true },
  { label: "Received", key: "inRate", show: (value) => value === null ? "–" : `${size(value)}/s` },
  { label: "Sent", key: "outRate", show: (value) => value === null ? "–" : `${size(value)}/s` },
  { label: "Queued", key: "queuedBytes", show: size },
  { label: "Loop lag p99", key: "lagP99", show: duration },
  { label: "Cluster nodes", key: "nodes", show: count, cluster: true },
];

const isRelay = ({ acks }) => acks !== null;

/** The tiles for a program with samples like this one. */
export function tiles(sample) {
  return all.filter(({ relay, cluster, key }) =>
    (!relay || isRelay(sample)) && (!cluster || sample.nodes > 0) &&
    (key !== "messageRate" || sample.messages !== null)
  );
}

/** The charts for a program with samples like this one. */
export function charts(sample) {
  const connections = { title: "Connections", show: count, series: [{ label: "open", key: "connections" }] };
  const bytes = {
    title: "Bytes per second",
    show: size,
    binary: true,
    series: [{ label: "received", key: "inRate" }, { label: "sent", key: "outRate" }],
  };
  const lag = { title: "Event-loop lag", show: duration, series: [{ label: "p99", key: "lagP99" }] };
  if (!isRelay(sample)) return [connections, bytes, lag];
  return [
    {
      title: "Per second",
      show: count,
      series: [{ label: "messages", key: "messageRate" }, { label: "acks", key: "ackRate" }],
    },
    {
      title: "Time to the ok",
      show: duration,
      log: true,
      series: [{ label: "p50", key: "ackP50" }, { label: "p90", key: "ackP90" }, {
        label: "p99",
        key: "ackP99",
      }],
    },
    {
      ...connections,
      title: "Connections and pending messages",
      series: [{ label: "connections", key: "connections" }, { label: "pending", key: "pending" }],
    },
    bytes,
    lag,
  ];
}

/** The state in a few words, and its tone. */
export function status({ notReady }) {
  return notReady.length === 0
    ? { text: "Ready", tone: "good" }
    : { text: capitalized(notReady.join(", ")), tone: "odd" };
}

/** The buttons, by the action that each of them asks for. */
export function controls({ notReady }) {
  const draining = notReady.includes("draining");
  const suspended = notReady.includes("suspended");
  return [
    suspended
      ? { action: "resume", label: "Resume", disabled: draining }
      : { action: "suspend", label: "Suspend", disabled: draining },
    {
      action: "drain",
      label: draining ? "Draining" : "Drain",
      disabled: draining,
      danger: true,
      confirm: "Drain this server? It stops accepting, finishes its work, and ends.",
    },
  ];
}

function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
