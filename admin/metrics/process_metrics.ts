/** Metrics of the process and of the build. @module */
import process from "node:process";
import type { MetricName, MetricSet } from "./metric_set.ts";
import type { EventLoopLag } from "./event_loop_lag.ts";

/** The running program. */
export interface BuildInfo {
  /** Such as `relay`. */
  readonly name: string;
  readonly version: string;
}

/** The histogram of the event-loop lag. */
export const EVENT_LOOP_LAG: MetricName = {
  name: "okline_event_loop_lag_seconds",
  help: "Delay of timers, sampled 20 times per second.",
};

/** Adds the metrics of the process, by the names that Prometheus client libraries share. */
export function addProcessMetrics(metrics: MetricSet, { name, version }: BuildInfo, lag: EventLoopLag): void {
  metrics.gauge({
    name: "okline_build_info",
    help: "Always 1; the labels say what runs.",
    labels: ["service", "version", "deno"],
    read: () => [[{ service: name, version, deno: Deno.version.deno }, 1]],
  });
  metrics.histogram(EVENT_LOOP_LAG, lag.durations);
  metrics.counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of the process, user and system.",
    read: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
  metrics.gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    read: () => Deno.memoryUsage().rss,
  });
  metrics.gauge({
    name: "process_heap_bytes",
    help: "Used JavaScript heap.",
    read: () => Deno.memoryUsage().heapUsed,
  });
  metrics.gauge({
    name: "process_start_time_seconds",
    help: "Start of the process, in seconds since 1970.",
    read: () => performance.timeOrigin / 1000,
  });
  const descriptors = openDescriptors();
  if (descriptors !== undefined) {
    metrics.gauge({
      name: "process_open_fds",
      help: "Open file descriptors.",
      read: () => openDescriptors() ?? NaN,
    });
    metrics.gauge({ name: "process_max_fds", help: "Limit of open file descriptors.", read: maxDescriptors });
  }
}

/** Returns how many descriptors are open, or `undefined` if the system or the permissions do not show them. */
function openDescriptors(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length - 1; // The directory itself is one of them.
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

function maxDescriptors(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1];
  return limit === undefined ? Infinity : Number(limit);
}
