/** The search for the highest rate that a server sustains: doubling, bisection, and a longer run to confirm. Pure. @module */

/** The result of a level. */
export type LevelResult =
  /** The run is good, and every bound holds. */
  | "held"
  /** The server failed, or a bound does not hold. */
  | "failed"
  /** The generator could not keep its schedule: nothing is known of the server. */
  | "invalid"
  /** The generator ran out of ports or descriptors, or could not reach the server. */
  | "network";

/** A level that was run. */
export interface Level {
  /** Starts per second. */
  readonly rate: number;
  /** Whether it was the longer run that confirms an answer. */
  readonly confirms: boolean;
  readonly result: LevelResult;
  /** Why it did not hold, in a sentence; empty if it held. */
  readonly why: string;
}

/** Why a search ended. */
export type CapacityEnding =
  /** The server holds the lower rate, and not the upper one. */
  | "server"
  /** Above the rate, the generator cannot keep its schedule. */
  | "generator"
  /** Above the rate, ports, descriptors, or the network are the limit. */
  | "network"
  /** No rate held, or no limit was found up to the highest rate. */
  | "not found";

/** The answer of a search. */
export interface Capacity {
  readonly ending: CapacityEnding;
  /** The highest rate that held, confirmed; 0 if none did. */
  readonly low: number;
  /** The lowest rate that did not hold; `null` if every rate held. */
  readonly high: number | null;
  /** Why the upper rate did not hold. */
  readonly why: string;
  readonly levels: readonly Level[];
}

/** Options for {@linkcode findCapacity}. */
export interface CapacityOptions {
  /** Runs a level. The last runs are longer, to confirm the answer. */
  readonly run: (
    rate: number,
    options: { readonly confirms: boolean },
  ) => Promise<Pick<Level, "result" | "why">>;
  /** First rate. Default 100. */
  readonly start?: number;
  /** Highest rate. Default 10,000,000. */
  readonly most?: number;
  /** The interval may be this part of its upper end. Default 0.06. */
  readonly precision?: number;
  /** Called after each level. */
  readonly onLevel?: (level: Level) => void;
}

const LOWEST = 1;
/** By what a rate is lowered when the longer run does not confirm it, and how often. */
const LOWERED = 0.8;
const MOST_LOWERED = 8;

/**
 * Finds the highest rate that holds. A level that is `invalid` is run once more, as another program may have taken the
 * processor; invalid again, the generator is the limit there, and never the server.
 *
 * @example
 * ```ts
 * import { findCapacity } from "./search.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const { ending, low, high } = await findCapacity({
 *   run: (rate) => Promise.resolve({ result: rate <= 2000 ? "held" : "failed", why: "" }),
 * });
 * assertEquals(ending, "server");
 * assert(low <= 2000 && 2000 < high!);
 * ```
 */
export async function findCapacity(options: CapacityOptions): Promise<Capacity> {
  const { start = 100, most = 10_000_000, precision = 0.06, onLevel } = options;
  const levels: Level[] = [];
  const run = async (rate: number, confirms = false): Promise<Level> => {
    for (let attempt = 0;; attempt++) {
      const level: Level = { rate, confirms, ...await options.run(rate, { confirms }) };
      levels.push(level);
      onLevel?.(level);
      if (level.result !== "invalid" || attempt > 0) return level;
    }
  };

  let low = 0;
  let broken: Level | undefined;
  for (let rate = start; broken === undefined && rate <= most; rate *= 2) {
    const level = await run(rate);
    if (level.result === "held") low = rate;
    else broken = level;
  }
  // Below the first rate: halve until a rate holds.
  for (let rate = Math.floor(start / 2); low === 0 && rate >= LOWEST; rate = Math.floor(rate / 2)) {
    const level = await run(rate);
    if (level.result === "held") low = rate;
    else broken = level;
  }
  if (low === 0) {
    return { ending: "not found", low, high: broken?.rate ?? null, why: broken?.why ?? "", levels };
  }

  const bisect = async (confirms: boolean): Promise<void> => {
    while (broken !== undefined && broken.rate - low > Math.max(1, precision * broken.rate)) {
      const level = await run(Math.round((low + broken.rate) / 2), confirms);
      if (level.result === "held") low = level.rate;
      else broken = level;
    }
  };
  await bisect(false);
  for (let lowered = 0;; lowered++) {
    const level = await run(low, true);
    if (level.result === "held") break;
    broken = level;
    low = Math.floor(low * LOWERED);
    if (low < LOWEST || lowered === MOST_LOWERED) {
      return { ending: "not found", low: 0, high: broken.rate, why: broken.why, levels };
    }
  }
  // Where the longer run held a lower rate only, the limit is looked for by longer runs.
  await bisect(true);
  return { ending: endingOf(broken), low, high: broken?.rate ?? null, why: broken?.why ?? "", levels };
}

function endingOf(broken: Level | undefined): CapacityEnding {
  switch (broken?.result) {
    case "failed":
      return "server";
    case "invalid":
      return "generator";
    case "network":
      return "network";
    default:
      return "not found";
  }
}

/** The answer in a sentence. */
export function describeCapacity({ ending, low, high, why }: Capacity, unit: string): string {
  const text = (rate: number): string => rate.toLocaleString("en");
  const reason = why === "" ? "" : ` (${why})`;
  switch (ending) {
    case "server":
      return `The server holds ${text(low)} to ${text(high ?? low)} ${unit}/s${reason}`;
    case "generator":
      return `The generator is the limit: ${text(low)} ${unit}/s held, and it cannot keep a schedule of ${
        text(high ?? low)
      }${reason}`;
    case "network":
      return `Ports or the network are the limit: ${text(low)} ${unit}/s held, and ${
        text(high ?? low)
      } did not${reason}`;
    case "not found":
      return low > 0
        ? `No limit found: ${text(low)} ${unit}/s held, the highest rate that was tried`
        : `No rate held${reason}`;
  }
}
