/** The search for the highest rate that a server sustains: doubling, bisection, and a longer run to confirm. Pure. @module */
import { reasonBesidesRate } from "./early_end.ts";

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
  /** Number of requests, or of messages without a scenario, and of those that were answered as expected. Default: unknown. */
  readonly requests?: number;
  readonly ok?: number;
  /** The failing part if even a single level shows that the rate is not the reason. Default: the rate may be. */
  readonly always?: AlwaysFailing;
}

/**
 * A failure that the rate does not explain:
 *
 * - `replies`: the server answered every request in time, and none as expected.
 * - `scenario`: every session ended because the scenario threw an error of its own.
 */
export type AlwaysFailing = "replies" | "scenario";

/** Why a search ended. */
export type CapacityEnding =
  /** The server holds the lower rate, and not the upper one. */
  | "server"
  /** Above the rate, the generator cannot keep its schedule. */
  | "generator"
  /** Above the rate, ports, descriptors, or the network are the limit. */
  | "network"
  /** No rate held, or no limit was found up to the highest rate. */
  | "not found"
  /** Stopped before the answer; the rates are those found until then, and none is confirmed. */
  | "interrupted";

/** Why a level is run. */
export type CapacityStep =
  /** Every rate held so far. */
  | "doubling"
  /** No rate held so far. */
  | "halving"
  /** The limit is between two rates. */
  | "bisecting"
  /** The answer is known, and a longer run must confirm it. */
  | "confirming"
  /** The generator was too slow, which may have been a coincidence. */
  | "repeating";

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
  ) => Promise<Omit<Level, "rate" | "confirms">>;
  /** First rate. Default 100. */
  readonly start?: number;
  /** Highest rate. Default 10,000,000. */
  readonly most?: number;
  /** The interval may be this part of its upper end. Default 0.06. */
  readonly precision?: number;
  /** Called before each level. */
  readonly onTry?: (
    rate: number,
    options: { readonly step: CapacityStep; readonly confirms: boolean },
  ) => void;
  /** Called after each level. */
  readonly onLevel?: (level: Level) => void;
  /** Stops the search. The level in progress does not count; `run` should end it. */
  readonly signal?: AbortSignal;
}

const LOWEST = 1;
/** By what a rate is lowered when the longer run does not confirm it, and how often. */
const LOWERED = 0.8;
const MOST_LOWERED = 8;

/**
 * Finds the highest rate that holds. The search ends without one as soon as the lowest rate fails for a reason that the rate
 * does not explain, because lower ones would fail as well. A level that is `invalid` is run once more, as another program may have taken the
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
  return await new Search(options).answer();
}

/** The search was stopped. */
class Stopped extends Error {}

class Search {
  readonly #options: CapacityOptions;
  readonly #levels: Level[] = [];
  /** The highest rate that held. */
  #low = 0;
  /** The lowest rate that did not hold. */
  #broken: Level | undefined;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  async answer(): Promise<Capacity> {
    try {
      return this.#capacity(await this.#search());
    } catch (error) {
      if (error instanceof Stopped) return this.#capacity("interrupted");
      throw error;
    }
  }

  async #search(): Promise<CapacityEnding> {
    const { start = 100, most = 10_000_000 } = this.#options;
    for (let rate = start; this.#broken === undefined && rate <= most; rate *= 2) {
      await this.#try(rate, "doubling");
    }
    // Below the first rate: halve until a rate holds.
    for (let rate = Math.floor(start / 2); this.#low === 0 && rate >= LOWEST; rate = Math.floor(rate / 2)) {
      if (reasonBesidesRate(this.#levels) !== undefined) break;
      await this.#try(rate, "halving");
    }
    if (this.#low === 0) return "not found";
    await this.#bisect(false);
    for (let lowered = 0; !await this.#confirm(); lowered++) {
      if (this.#low < LOWEST || lowered === MOST_LOWERED) {
        this.#low = 0;
        return "not found";
      }
    }
    // Where the longer run held a lower rate only, the limit is looked for by longer runs.
    await this.#bisect(true);
    return endingOf(this.#broken);
  }

  async #bisect(confirms: boolean): Promise<void> {
    const { precision = 0.06 } = this.#options;
    while (this.#broken !== undefined) {
      const high = this.#broken.rate;
      if (high - this.#low <= Math.max(1, precision * high)) return;
      await this.#try(Math.round((this.#low + high) / 2), "bisecting", confirms);
    }
  }

  /** Runs the answer for longer, and lowers it if it does not hold. */
  async #confirm(): Promise<boolean> {
    const level = await this.#run(this.#low, "confirming", true);
    if (level.result === "held") return true;
    this.#broken = level;
    this.#low = Math.floor(this.#low * LOWERED);
    return false;
  }

  async #try(rate: number, step: CapacityStep, confirms = false): Promise<void> {
    const level = await this.#run(rate, step, confirms);
    if (level.result === "held") this.#low = rate;
    else this.#broken = level;
  }

  async #run(rate: number, step: CapacityStep, confirms: boolean): Promise<Level> {
    const { run, onTry, onLevel, signal } = this.#options;
    for (let attempt = 0;; attempt++) {
      if (signal?.aborted) throw new Stopped();
      onTry?.(rate, { step: attempt > 0 ? "repeating" : step, confirms });
      const level: Level = { rate, confirms, ...await run(rate, { confirms }) };
      if (signal?.aborted) throw new Stopped();
      this.#levels.push(level);
      onLevel?.(level);
      if (level.result !== "invalid" || attempt > 0) return level;
    }
  }

  #capacity(ending: CapacityEnding): Capacity {
    const broken = this.#broken;
    return {
      ending,
      low: this.#low,
      high: broken?.rate ?? null,
      why: broken?.why ?? "",
      levels: this.#levels,
    };
  }
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
    case "interrupted":
      return `Interrupted: ${
        low > 0 ? `${text(low)} ${unit}/s held, not confirmed` : "no rate held until then"
      }${high === null ? "" : `, and ${text(high)} did not${reason}`}`;
  }
}

/** Rates within this factor may hold once and fail once, because they are near the limit. */
const NEAR = 0.8;

/**
 * Returns a sentence if rates failed that are well below one that held, and `undefined` otherwise. A server that loses one
 * reply in a thousand, for example, fails at any rate, depending on how many requests a level has.
 */
export function describeDoubt({ levels }: Pick<Capacity, "levels">, unit: string): string | undefined {
  const rates = (wanted: LevelResult): number[] =>
    levels.filter(({ result }) => result === wanted).map(({ rate }) => rate);
  const [failed, held] = [Math.min(...rates("failed")), Math.max(...rates("held"))];
  if (failed > NEAR * held) return undefined;
  const text = (rate: number): string => `${rate.toLocaleString("en")} ${unit}/s`;
  return `The failures may not depend on the rate: ${text(failed)} failed, although ${text(held)} held`;
}
