/** Ends a search for the capacity early, when the rate is not why the lowest one fails. Pure. @module */
import type { Capacity, Level } from "./search.ts";

/** The lowest level, and if it takes a second one to show that the rate is not the reason, that one. */
export interface ReasonBesidesRate {
  readonly lowest: Counted;
  readonly other?: Counted;
}

type Counted = Level & Required<Pick<Level, "requests" | "ok">>;

/** Fewer requests show little. */
const FEWEST = 20;
/** The part of the improvement that an overloaded server would show at a lower rate, and that must be missing. */
const LITTLE = 0.25;

/** Returns the levels that show that the rate is not why none has held, and `undefined` if it may be. */
export function reasonBesidesRate(levels: readonly Level[]): ReasonBesidesRate | undefined {
  const lowest = levels.at(-1);
  if (lowest === undefined || levels.some(({ result }) => result === "held") || !isCounted(lowest)) {
    return undefined;
  }
  if (lowest.always !== undefined) return { lowest };
  const other = levels.findLast(({ rate }) => rate > lowest.rate);
  if (other === undefined || !isCounted(other) || Math.min(lowest.requests, other.requests) < FEWEST) {
    return undefined;
  }
  // An overloaded server answers as many requests as before, which are a larger share of fewer.
  const [share, before] = [lowest.ok / lowest.requests, other.ok / other.requests];
  const overloaded = Math.min(1, before * other.rate / lowest.rate);
  return before < 1 && share <= before + LITTLE * (overloaded - before) ? { lowest, other } : undefined;
}

function isCounted(level: Level): level is Counted {
  return level.result === "failed" && level.requests !== undefined && level.ok !== undefined;
}

/**
 * Returns a sentence if the search ended early, because the rate is not why none has held, and `undefined` otherwise.
 *
 * @example
 * ```ts
 * import { describeEarlyEnd } from "./early_end.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const level = { rate: 100, confirms: false, result: "failed", why: "", requests: 500, ok: 0 } as const;
 * const ending = "not found";
 * assertEquals(describeEarlyEnd({ ending, levels: [level] }, "messages"), undefined);
 * assertEquals(
 *   describeEarlyEnd({ ending, levels: [{ ...level, always: "replies" }] }, "messages"),
 *   "The rate is not the reason, so no lower one was tried: at 100 messages/s, the server answered all 500 requests, " +
 *     "and none as expected",
 * );
 * ```
 */
export function describeEarlyEnd(
  { ending, levels }: Pick<Capacity, "ending" | "levels">,
  unit: string,
): string | undefined {
  const found = ending === "not found" ? reasonBesidesRate(levels) : undefined;
  if (found === undefined) return undefined;
  const { lowest, other } = found;
  const at = `at ${lowest.rate.toLocaleString("en")} ${unit}/s`;
  return other === undefined
    ? `The rate is not the reason, so no lower one was tried: ${at}, ${describeAlways(lowest)}`
    : `A lower rate does not help, so the search ended: ${at}, ${describeBoth(lowest, other)}`;
}

function describeAlways({ always, requests }: Counted): string {
  return always === "scenario"
    ? "the scenario threw an error in every session"
    : `the server answered all ${requests.toLocaleString("en")} requests, and none as expected`;
}

function describeBoth(lowest: Counted, other: Counted): string {
  const of = ({ ok, requests }: Counted): string =>
    `${ok.toLocaleString("en")} of ${requests.toLocaleString("en")}`;
  return `${of(lowest)} were answered as expected, hardly a larger share than at ${
    other.rate.toLocaleString("en")
  }, ${of(other)}`;
}
