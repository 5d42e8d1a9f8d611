/** What processes take. Pure. @module */

/** What a process has used: processor time in seconds, memory at its peak in bytes; `null` where it cannot be read. */
export interface ProcessUsage {
  readonly cpuSeconds: number | null;
  readonly peakMemory: number | null;
}

/** What takes nothing. */
export const NOTHING_USED: ProcessUsage = { cpuSeconds: 0, peakMemory: 0 };

/** What two processes have used together; peaks are taken to come at the same time. */
export function addUsage(one: ProcessUsage, other: ProcessUsage): ProcessUsage {
  return {
    cpuSeconds: add(one.cpuSeconds, other.cpuSeconds),
    peakMemory: add(one.peakMemory, other.peakMemory),
  };
}

/** What was used between two looks at the same process. */
export function usedSince(before: ProcessUsage, { cpuSeconds, peakMemory }: ProcessUsage): ProcessUsage {
  return { cpuSeconds: add(cpuSeconds, before.cpuSeconds === null ? null : -before.cpuSeconds), peakMemory };
}

function add(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}
