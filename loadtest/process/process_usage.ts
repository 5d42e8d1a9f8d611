/**
 * Usage of processes, read from `/proc`: sockets, processor time, and memory. Values are `null` on other systems, and if
 * access is denied.
 *
 * @module
 */

/** Resource usage of a process: CPU time in seconds, peak memory in bytes; `null` if unknown. */
export interface ProcessUsage {
  readonly cpuSeconds: number | null;
  readonly peakMemory: number | null;
  /** The part of `peakMemory` that is pages of files, in bytes: processes of one program share them. Default 0. */
  readonly fileMemory?: number;
}

/** No usage. */
export const NO_USAGE: ProcessUsage = { cpuSeconds: 0, peakMemory: 0 };

/**
 * Adds the usage of processes of the same program, as if their peaks were at the same time. The program's own pages, about
 * 40 MB of Deno, are in memory once however many processes run it, and count once.
 */
export function addUsage(one: ProcessUsage, other: ProcessUsage): ProcessUsage {
  const [oneFile, otherFile] = [one.fileMemory ?? 0, other.fileMemory ?? 0];
  const sum = add(one.peakMemory, other.peakMemory);
  return {
    cpuSeconds: add(one.cpuSeconds, other.cpuSeconds),
    peakMemory: add(sum, -Math.min(oneFile, otherFile)),
    fileMemory: Math.max(oneFile, otherFile),
  };
}

/** Returns the usage of a process on another machine, which shares no pages with those here: all of it counts. */
export function usageElsewhere({ cpuSeconds, peakMemory }: ProcessUsage): ProcessUsage {
  return { cpuSeconds, peakMemory };
}

/** Returns what a process has used since `before`. */
export function usageSince(before: ProcessUsage, { cpuSeconds, ...memory }: ProcessUsage): ProcessUsage {
  return { ...memory, cpuSeconds: add(cpuSeconds, before.cpuSeconds === null ? null : -before.cpuSeconds) };
}

function add(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}

// USER_HZ: Linux reports processor time in these ticks, whatever the kernel's own rate.
const TICKS_PER_SECOND = 100;

/** Returns what a process has used so far. */
export function usageOf(pid: number): ProcessUsage {
  return {
    cpuSeconds: cpuSeconds(pid),
    peakMemory: peakMemory(pid),
    fileMemory: fileMemory(pid) ?? 0,
  };
}

/** Returns the open sockets of a process, one per descriptor, by unique names. */
export function socketsOf(pid: number): readonly string[] | null {
  try {
    const sockets: string[] = [];
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
      try {
        const target = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
        if (target.startsWith("socket:")) sockets.push(target);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error; // Closed since the folder was read.
      }
    }
    return sockets;
  } catch (error) {
    return nullIfUnknown(error);
  }
}

/** Returns the number of open sockets of a process. */
export function countSockets(pid: number): number | null {
  return socketsOf(pid)?.length ?? null;
}

/** Returns the processor time of a process, in seconds. */
function cpuSeconds(pid: number): number | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name, in parentheses, may contain spaces. User and system time are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isNaN(ticks) ? null : ticks / TICKS_PER_SECOND;
  } catch (error) {
    return nullIfUnknown(error);
  }
}

/** Returns the peak resident memory of a process in bytes (VmHWM). */
export function peakMemory(pid: number): number | null {
  return statusBytes(pid, "VmHWM");
}

/** Returns the resident memory of a process in bytes (VmRSS). */
export function residentMemory(pid: number): number | null {
  return statusBytes(pid, "VmRSS");
}

/** Returns the memory that new processes can use, in bytes; `Infinity` if unknown. */
export function availableMemory(): number {
  try {
    return Deno.systemMemoryInfo().available;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return Infinity;
    throw error;
  }
}

/** Returns the part of the resident memory that is pages of files, in bytes (RssFile): processes of one program share them. */
export function fileMemory(pid: number): number | null {
  return statusBytes(pid, "RssFile");
}

function statusBytes(pid: number, field: string): number | null {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const line = status.split("\n").find((line) => line.startsWith(`${field}:`));
    return line === undefined ? null : Number(/\d+/.exec(line)?.[0]) * 1024;
  } catch (error) {
    return nullIfUnknown(error);
  }
}

/** Returns `null` if there is no /proc, the process has ended, or access is denied; otherwise throws. */
export function nullIfUnknown(error: unknown): null {
  if (
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable
  ) return null;
  throw error;
}
