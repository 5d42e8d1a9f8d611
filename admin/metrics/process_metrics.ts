/** Metrics of the process and of the build. @module */
import process from "node:process";
import { fileMemory, nullIfUnknown } from "../../loadtest/process/process_usage.ts";
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

/** Resource usage of a process. */
export interface ProcessFigures {
  /** CPU time, user and system, in seconds. */
  readonly cpuSeconds: number;
  /** Resident memory in bytes. */
  readonly residentMemory: number;
  /** Used JavaScript heap in bytes. */
  readonly heap: number;
}

/** The other processes of a server. */
export interface OtherProcesses {
  /** Those that run, as they reported last. */
  readonly running: readonly { readonly pid: number; readonly figures: ProcessFigures }[];
  /** CPU time of those that have ended, in seconds. */
  readonly endedCpuSeconds: number;
}

const NO_OTHERS: OtherProcesses = { running: [], endedCpuSeconds: 0 };

/** Returns what this process uses. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = Deno.memoryUsage();
  return { cpuSeconds: (user + system) / 1e6, residentMemory: rss, heap: heapUsed };
}

/**
 * Adds the metrics of the process, by the names that Prometheus client libraries share.
 *
 * @param others Returns the other processes of the server, which are added up with this one. Default: there are none.
 */
export function addProcessMetrics(
  metrics: MetricSet,
  { name, version }: BuildInfo,
  lag: EventLoopLag,
  others?: () => OtherProcesses,
): void {
  const { pid } = Deno;
  const running = () => [{ pid, figures: processFigures() }, ...(others?.() ?? NO_OTHERS).running];
  const sum = (of: (figures: ProcessFigures) => number) =>
    running().reduce((total, { figures }) => total + of(figures), 0);
  const whose = others === undefined ? "of the process" : "of all processes of the server";
  metrics.gauge({
    name: "okline_build_info",
    help: "Always 1; the labels say what runs.",
    labels: ["service", "version", "deno"],
    read: () => [[{ service: name, version, deno: Deno.version.deno }, 1]],
  });
  metrics.histogram(EVENT_LOOP_LAG, lag.durations);
  metrics.counter({
    name: "process_cpu_seconds_total",
    help: `CPU time ${whose}, user and system.`,
    read: () => sum(({ cpuSeconds }) => cpuSeconds) + (others?.() ?? NO_OTHERS).endedCpuSeconds,
  });
  metrics.gauge({
    name: "process_heap_bytes",
    help: `Used JavaScript heap ${whose}.`,
    read: () => sum(({ heap }) => heap),
  });
  metrics.gauge({
    name: "process_start_time_seconds",
    help: `Start of the ${others === undefined ? "" : "first "}process, in seconds since 1970.`,
    read: () => performance.timeOrigin / 1000,
  });
  // Without /proc, the pages that processes share are unknown.
  const descriptors = openDescriptors(pid);
  metrics.gauge({
    name: "process_resident_memory_bytes",
    help: `Resident memory ${whose}; pages of the program's file, which processes share, count once.`,
    read: () =>
      sum(({ residentMemory }) => residentMemory) -
      (others === undefined || descriptors === undefined ? 0 : sharedMemory(running())),
  });
  if (descriptors === undefined) return;
  metrics.gauge({
    name: "process_open_fds",
    help: `Open file descriptors ${whose}.`,
    read: () => running().reduce((total, { pid }) => total + (openDescriptors(pid) ?? 0), 0),
  });
  metrics.gauge({
    name: "process_max_fds",
    help: `Limit of open file descriptors ${whose}.`,
    // Processes inherit the limit.
    read: () => maxDescriptors() * running().length,
  });
}

/** Returns the memory that is counted too often in a sum: all pages of files but those of one process. */
function sharedMemory(running: readonly { readonly pid: number }[]): number {
  const pages = running.map(({ pid }) => fileMemory(pid) ?? 0);
  return pages.reduce((total, bytes) => total + bytes, 0) - Math.max(...pages);
}

/** Returns how many descriptors a process has open, or `undefined` if it has ended, or the system or the permissions do not show them. */
function openDescriptors(pid: number): number | undefined {
  try {
    const count = [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
    return pid === Deno.pid ? count - 1 : count; // The directory itself is one of its own.
  } catch (error) {
    return nullIfUnknown(error) ?? undefined;
  }
}

function maxDescriptors(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1];
  return limit === undefined ? Infinity : Number(limit);
}
