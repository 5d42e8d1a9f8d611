/** Which limit a late generator hit. Pure. @module */
import type { GeneratorEvent } from "../history/events.ts";

/** From this share on, collecting garbage is what made a process late. */
const MUCH_GARBAGE = 0.25;
/** From this share on, other processes kept it from running. */
const MUCH_WAITING = 0.25;
/** From this share on, it had no processor time left. */
const BUSY = 0.8;

/**
 * Describes the limit that made a generator late, as a clause to append: `: it had used up its processor core (97 %)`.
 * Empty if the history does not contain it.
 *
 * @example
 * ```ts
 * import { describeLimit } from "./limit.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const load = { cpu: 0.4, waiting: 0.55, garbage: 0.05 };
 * assertEquals(
 *   describeLimit({ event: "generator", process: 0, loopLag: 200, socketLag: 1, load }),
 *   ": short of CPU, because other processes had it for 55 % of the time",
 * );
 * ```
 */
export function describeLimit(generator: GeneratorEvent | undefined): string {
  const { cpu = null, waiting = null, garbage = null } = generator?.load ?? {};
  if (garbage !== null && garbage >= MUCH_GARBAGE) {
    return `: garbage collection took ${percent(garbage)} of the time`;
  }
  if (waiting !== null && waiting >= MUCH_WAITING) {
    return `: short of CPU, because other processes had it for ${percent(waiting)} of the time`;
  }
  if (cpu !== null && cpu >= BUSY) {
    return `: short of CPU, because its own work took ${percent(cpu)} of a core (--processes adds cores)`;
  }
  if (cpu === null) return "";
  return `: neither CPU (${percent(cpu)} of a core) nor garbage collection (${
    percent(garbage ?? 0)
  }) explains it`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
