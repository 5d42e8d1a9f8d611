/** Adds up the state of several processes. Pure. @module */

/**
 * Returns the sum of states: numbers are added, objects are summed key by key, lists of the same length item by item, and a
 * boolean is `true` if it is in every state. Anything else is taken from the first state that has it.
 *
 * @example
 * ```ts
 * import { sumStats } from "./sum_stats.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const sum = sumStats([{ connections: 2, closed: { natural: 1 } }, { connections: 3, closed: { natural: 4, reset: 1 } }]);
 * assertEquals(sum, { connections: 5, closed: { natural: 5, reset: 1 } });
 * ```
 */
export function sumStats(states: readonly object[]): Record<string, unknown> {
  const sum: Record<string, unknown> = {};
  for (const state of states) {
    for (const [key, value] of Object.entries(state)) {
      sum[key] = key in sum ? add(sum[key], value) : value;
    }
  }
  return sum;
}

/** The state of one process among several. */
export interface ProcessState {
  readonly pid: number;
  /** As in `stats()` of its service. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Whether it is the state of now, and not the last one of a process that hangs. */
  readonly answered: boolean;
}

/** The rest of the state of a server of several processes. */
export interface CrewState {
  /** Number of processes that died and were started again. */
  readonly restarts: number;
  /** Counts of processes that have ended. */
  readonly ended: Readonly<Record<string, unknown>>;
  /** Number of processes that run but do not answer: the server may hold more than it says. */
  readonly unanswered: number;
}

/**
 * Returns the state of a server of several processes: the sum, the part of each process, and how often a process was
 * restarted. `processes` counts those that answered. `nodes` counts the nodes of the cluster besides these processes.
 */
export function combineStates(
  states: readonly ProcessState[],
  { restarts, ended, unanswered }: CrewState,
): Record<string, unknown> {
  const sum = sumStats([...states.map(({ state }) => state), ended]);
  const others = Math.max(0, ...states.map(({ state }) => Number(state.nodes))) - (states.length - 1);
  return {
    ...sum,
    ...("nodes" in sum ? { nodes: Math.max(0, others) } : {}),
    processes: states.filter(({ answered }) => answered).length,
    unanswered,
    restarts,
    workers: states.map(({ pid, state: { accepted, connections, pending, messages } }) => ({
      pid,
      accepted,
      connections,
      ...(messages === undefined ? {} : { pending, messages }),
    })),
  };
}

function add(one: unknown, other: unknown): unknown {
  if (typeof one === "number" && typeof other === "number") return one + other;
  if (typeof one === "boolean" && typeof other === "boolean") return one && other;
  if (isRecord(one) && isRecord(other)) return sumStats([one, other]);
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) {
    return one.map((item, index) => add(item, other[index]));
  }
  return one;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
