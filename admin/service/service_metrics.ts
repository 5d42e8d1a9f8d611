/** Metrics of a service. @module */
import type { DurationHistogram } from "../../internal/duration_histogram.ts";
import type { Labels, MetricName, MetricSet, Reading } from "../metrics/metric_set.ts";
import type { Counts, ServiceStats } from "./stats.ts";

/** The histogram of the times to the oks. */
export const ACK_TIME: MetricName = {
  name: "okline_ack_seconds",
  help: "Time from a message to its ok, as the relay sees it.",
};

/** The source of the metrics. */
export interface ServiceReadings {
  readonly stats: () => ServiceStats;
  readonly bytes: () => { readonly bytesIn: number; readonly bytesOut: number };
  readonly ready: () => boolean;
  readonly ackTimes: DurationHistogram;
}

/** Adds the metrics that a service has stats for. */
export function addServiceMetrics(
  metrics: MetricSet,
  { stats, bytes, ready, ackTimes }: ServiceReadings,
): void {
  const has = stats();
  const counter = (name: string, key: keyof ServiceStats, help: string) => {
    if (key in has) metrics.counter({ name, help, read: () => numberOf(stats()[key]) });
  };
  const gauge = (name: string, key: keyof ServiceStats, help: string) => {
    if (key in has) metrics.gauge({ name, help, read: () => numberOf(stats()[key]) });
  };
  const byName = (name: string, key: keyof ServiceStats, label: string, help: string) => {
    if (!(key in has)) return;
    metrics.counter({ name, help, labels: [label], read: () => byLabel(label, stats()[key] as Counts) });
  };
  metrics.gauge({
    name: "okline_ready",
    help: "1 if /readyz answers 200, else 0.",
    read: () => Number(ready()),
  });
  gauge("okline_connections", "connections", "Open connections.");
  counter(
    "okline_connections_accepted_total",
    "accepted",
    "Accepted connections, with those that were refused.",
  );
  byName("okline_connections_closed_total", "closed", "reason", "Closed connections by reason.");
  byName(
    "okline_connections_refused_total",
    "refusals",
    "limit",
    "Refused connections by the limit that they exceeded.",
  );
  byName("okline_timeouts_total", "timeouts", "which", "Connections closed by a timeout, by which.");
  byName(
    "okline_framing_errors_total",
    "framingErrors",
    "code",
    "Connections closed because of invalid input, by error.",
  );
  if ("transientErrors" in has) {
    metrics.counter({
      name: "okline_accept_errors_total",
      help: "Errors while accepting: peers that were gone, and shortages of descriptors.",
      labels: ["kind"],
      read: () => {
        const { transientErrors = 0, outOfDescriptors = 0 } = stats();
        return [[{ kind: "transient" }, transientErrors], [{ kind: "out-of-descriptors" }, outOfDescriptors]];
      },
    });
    metrics.counter({
      name: "okline_bytes_total",
      help: "Bytes received from and sent to clients.",
      labels: ["direction"],
      read: () => {
        const { bytesIn, bytesOut } = bytes();
        return [[{ direction: "in" }, bytesIn], [{ direction: "out" }, bytesOut]];
      },
    });
  }
  gauge("okline_queued_bytes", "queuedBytes", "Bytes that wait to be sent to clients.");
  counter("okline_messages_total", "messages", "Messages taken from clients.");
  gauge("okline_pending", "pending", "Messages that wait for their ok.");
  if (!("settled" in has)) return;
  counter("okline_settled_total", "settled", "Messages settled by an ok.");
  counter("okline_oks_total", "oks", "Oks sent to the senders of messages.");
  counter("okline_stray_oks_total", "stray", "Oks for messages that their sender does not hold.");
  counter("okline_redelivered_total", "redelivered", "Messages given to another connection.");
  counter("okline_dropped_total", "dropped", "Messages dropped because every sender of them was gone.");
  counter("okline_rejected_lines_total", "rejected", "Lines that are not part of the protocol.");
  byName("okline_limited_total", "limitedBy", "limit", "Messages refused because of a limit.");
  gauge("okline_cluster_nodes", "nodes", "Other nodes of the cluster.");
  metrics.histogram(ACK_TIME, ackTimes);
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function byLabel(label: string, counts: Counts): Reading {
  return Object.entries(counts).map(([name, count]): readonly [Labels, number] => [{ [label]: name }, count]);
}
