/**
 * What Linux tells about a process from outside: its sockets, its processor time, its memory. Elsewhere, or where it
 * may not be read, every figure is `null`.
 *
 * @module
 */

/** What a process has used: processor time in seconds, memory at its peak in bytes; `null` where it cannot be read. */
export interface ProcessUsage {
  readonly cpuSeconds: number | null;
  readonly peakMemory: number | null;
}

/** What takes nothing. */
export const NO_USAGE: ProcessUsage = { cpuSeconds: 0, peakMemory: 0 };

/** What two processes have used together; peaks are taken to come at the same time. */
export function addUsage(one: ProcessUsage, other: ProcessUsage): ProcessUsage {
  return {
    cpuSeconds: add(one.cpuSeconds, other.cpuSeconds),
    peakMemory: add(one.peakMemory, other.peakMemory),
  };
}

/** What was used between two looks at the same process. */
export function usageSince(before: ProcessUsage, { cpuSeconds, peakMemory }: ProcessUsage): ProcessUsage {
  return { cpuSeconds: add(cpuSeconds, before.cpuSeconds === null ? null : -before.cpuSeconds), peakMemory };
}

function add(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}

// Linux counts processor time in ticks of this length to every program, whatever the kernel's own are: USER_HZ.
const TICKS_PER_SECOND = 100;

/** What a process has used so far. */
export function usageOf(pid: number): ProcessUsage {
  return { cpuSeconds: cpuSeconds(pid), peakMemory: peakMemory(pid) };
}

/** The sockets that a process has open, one for each descriptor, by names that no other socket gets. */
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
    return unknownWhere(error);
  }
}

/** How many sockets a process has open. */
export function countSockets(pid: number): number | null {
  return socketsOf(pid)?.length ?? null;
}

/** Processor time that a process has used, in seconds. */
function cpuSeconds(pid: number): number | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isNaN(ticks) ? null : ticks / TICKS_PER_SECOND;
  } catch (error) {
    return unknownWhere(error);
  }
}

/** The largest memory that a process has had, in bytes (VmHWM: the peak of its resident set). */
export function peakMemory(pid: number): number | null {
  return statusBytes(pid, "VmHWM");
}

/** The memory that a process has now, in bytes (VmRSS: its resident set). */
export function residentMemory(pid: number): number | null {
  return statusBytes(pid, "VmRSS");
}

function statusBytes(pid: number, field: string): number | null {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const line = status.split("\n").find((line) => line.startsWith(`${field}:`));
    return line === undefined ? null : Number(/\d+/.exec(line)?.[0]) * 1024;
  } catch (error) {
    return unknownWhere(error);
  }
}

/** `null` for what cannot be had: no /proc, the process is gone, or this program may not look. */
function unknownWhere(error: unknown): null {
  if (
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable
  ) return null;
  throw error;
}
