/** Leftovers of a server after a run. Pure. @module */
import { plural } from "../../internal/plural.ts";
import { printable } from "../../internal/printable.ts";
import type { ServerState } from "../history/events.ts";

const LEFTOVERS = [
  ["connections", { one: "open connection", many: "open connections" }],
  ["pending", { one: "pending message", many: "pending messages" }],
  ["timers", { one: "running timer", many: "running timers" }],
  ["queuedBytes", { one: "queued byte", many: "queued bytes" }],
  ["descriptors", { one: "more socket than at its start", many: "more sockets than at its start" }],
] as const;

/** The part of a state that must be 0 after a run. */
export type Leftovers = Pick<ServerState, (typeof LEFTOVERS)[number][0] | "custom">;

/**
 * Returns what is not 0, with its number.
 *
 * @example
 * ```ts
 * import { leftoversOf } from "./leftovers.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const zero = { connections: 0, pending: null, timers: null, queuedBytes: 0, descriptors: null };
 * assertEquals(leftoversOf(zero), []);
 * assertEquals(leftoversOf({ ...zero, connections: 5, custom: { jobs: 2 } }), ["5 open connections", "2 jobs"]);
 * ```
 */
export function leftoversOf(state: Leftovers): string[] {
  const known = LEFTOVERS.map(([field, name]) => [state[field] ?? 0, name] as const)
    .filter(([left]) => left !== 0).map(([left, name]) => plural(left, name));
  const custom = Object.entries(state.custom ?? {})
    .filter(([, left]) => left !== 0).map(([name, left]) => `${left} ${printable(name)}`);
  return [...known, ...custom];
}
