/** Distributions of the time that a client waits between receiving a message and answering it. Pure. @module */
import { formatDuration, MAX_DURATION, parseDuration } from "../../internal/duration.ts";
import type { Random } from "../../internal/clock.ts";

/** A distribution of delays, in ms. */
export type DelayDistribution =
  | { readonly type: "none" }
  | { readonly type: "fixed"; readonly delay: number }
  | { readonly type: "uniform"; readonly min: number; readonly max: number }
  | { readonly type: "exponential"; readonly mean: number }
  /** A Pareto distribution (type I) from `min` with exponent `alpha`; draws above `cap` become `cap`. */
  | { readonly type: "pareto"; readonly min: number; readonly alpha: number; readonly cap: number };

const ACCEPTED = "0, fixed:1s, uniform:0s-5s, exponential:1s, or pareto:MIN[,ALPHA[,CAP]]";
const DAY = 86_400_000;
const DEFAULT_ALPHA = 1.5;
const DEFAULT_CAP_FACTOR = 20;

/** The smallest step of a 32-bit {@linkcode Random}. It bounds the draws of an unbounded distribution. */
const SMALLEST_DRAW = 2 ** -32;

/**
 * Reads `0`, `fixed:1s`, `uniform:0s-5s`, `exponential:1s`, or `pareto:MIN[,ALPHA=1.5[,CAP=20×MIN]]`.
 *
 * @throws {TypeError} If `spec` has another form
 * @throws {RangeError} If its numbers do not describe a distribution, or a delay could exceed 36500 days
 *
 * @example
 * ```ts
 * import { meanReplyDelay, parseReplyDelay } from "./reply_delay.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseReplyDelay("pareto:100ms"), { type: "pareto", min: 100, alpha: 1.5, cap: 2000 });
 * assertEquals(meanReplyDelay(parseReplyDelay("uniform:0s-5s")), 2500);
 * ```
 */
export function parseReplyDelay(spec: string): DelayDistribution {
  const delay = parseSpec(spec);
  assertReplyDelay(delay, `"${spec}"`);
  return delay;
}

/**
 * Checks that a distribution is one, and that no delay can exceed what a timer takes.
 *
 * @param spec Its specification, for the error
 * @throws {RangeError} If it is not
 */
export function assertReplyDelay(delay: DelayDistribution, spec: string = JSON.stringify(delay)): void {
  const refuse = (expected: string): never => {
    throw new RangeError(`Cannot use reply delay ${spec}: ${expected}`);
  };
  if (delay.type === "uniform" && !(delay.min >= 0 && delay.min <= delay.max)) {
    refuse("expected a range that starts at its lower end");
  }
  if (delay.type === "pareto") {
    const { min, alpha, cap } = delay;
    if (!(alpha > 0 && Number.isFinite(alpha))) refuse("expected an ALPHA above 0");
    if (!(min > 0 && cap >= min)) refuse("expected a MIN above 0, and a CAP not below it");
  }
  const longest = longestReplyDelay(delay);
  if (!(longest >= 0)) refuse("expected delays of at least 0 ms");
  if (longest > MAX_DURATION) {
    refuse(
      `it can draw ${Math.floor(longest / DAY)} days, expected at most ${Math.floor(MAX_DURATION / DAY)}`,
    );
  }
}

function parseSpec(spec: string): DelayDistribution {
  if (spec === "0") return { type: "none" };
  const colon = spec.indexOf(":");
  const rest = spec.slice(colon + 1);
  switch (spec.slice(0, Math.max(colon, 0))) {
    case "fixed":
      return { type: "fixed", delay: durationIn(spec, rest) };
    case "uniform": {
      const [min, max, ...more] = rest.split("-");
      if (min === undefined || max === undefined || more.length > 0) break;
      return { type: "uniform", min: durationIn(spec, min), max: durationIn(spec, max) };
    }
    case "exponential":
      return { type: "exponential", mean: durationIn(spec, rest) };
    case "pareto": {
      const [minText, alpha = `${DEFAULT_ALPHA}`, cap, ...more] = rest.split(",");
      if (minText === undefined || more.length > 0) break;
      const min = durationIn(spec, minText);
      return {
        type: "pareto",
        min,
        alpha: Number(alpha),
        cap: cap === undefined ? DEFAULT_CAP_FACTOR * min : durationIn(spec, cap),
      };
    }
  }
  throw new TypeError(`Cannot use reply delay "${spec}": expected ${ACCEPTED}`);
}

function durationIn(spec: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new TypeError(
      `Cannot use reply delay "${spec}": expected ${ACCEPTED}, and "${text}" is not a duration`,
      { cause },
    );
  }
}

/** Formats a distribution in the notation of {@linkcode parseReplyDelay}. */
export function formatReplyDelay(delay: DelayDistribution): string {
  switch (delay.type) {
    case "none":
      return "0";
    case "fixed":
      return `fixed:${formatDuration(delay.delay)}`;
    case "uniform":
      return `uniform:${formatDuration(delay.min)}-${formatDuration(delay.max)}`;
    case "exponential":
      return `exponential:${formatDuration(delay.mean)}`;
    case "pareto":
      return `pareto:${formatDuration(delay.min)},${delay.alpha},${formatDuration(delay.cap)}`;
  }
}

/** Draws one delay in ms by inverting the distribution function. Each draw takes one number from `random`. */
export function drawReplyDelay(delay: DelayDistribution, random: Random): number {
  switch (delay.type) {
    case "none":
      return 0;
    case "fixed":
      return delay.delay;
    case "uniform":
      return delay.min + (delay.max - delay.min) * random();
    case "exponential":
      return -delay.mean * Math.log(1 - random());
    case "pareto":
      return Math.min(delay.cap, delay.min / (1 - random()) ** (1 / delay.alpha));
  }
}

/**
 * The longest delay that can be drawn, in ms. The exponential distribution is unbounded; here it ends at 32 ln 2 = 22.2
 * times its mean, because a draw has 32 random bits.
 */
export function longestReplyDelay(delay: DelayDistribution): number {
  switch (delay.type) {
    case "none":
      return 0;
    case "fixed":
      return delay.delay;
    case "uniform":
      return delay.max;
    case "exponential":
      return -delay.mean * Math.log(SMALLEST_DRAW);
    case "pareto":
      return delay.cap;
  }
}

/** The expected delay in ms. */
export function meanReplyDelay(delay: DelayDistribution): number {
  switch (delay.type) {
    case "none":
      return 0;
    case "fixed":
      return delay.delay;
    case "uniform":
      return (delay.min + delay.max) / 2;
    case "exponential":
      return delay.mean;
    case "pareto": { // The integral of the survival function up to the cap.
      const { min, alpha, cap } = delay;
      if (alpha === 1) return min * (1 + Math.log(cap / min));
      return min + min / (alpha - 1) * (1 - (cap / min) ** (1 - alpha));
    }
  }
}
