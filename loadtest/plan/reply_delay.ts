/** How long a client waits between receiving a message and answering it, as a distribution to draw from. Pure. @module */
import { formatDuration, parseDuration } from "../../internal/duration.ts";
import type { Random } from "../../internal/clock.ts";

/** A distribution of delays; all times in ms. */
export type DelayDistribution =
  | { readonly type: "none" }
  | { readonly type: "fixed"; readonly delay: number }
  | { readonly type: "uniform"; readonly min: number; readonly max: number }
  | { readonly type: "exponential"; readonly mean: number }
  /** The American Pareto (type I) from `min` on with exponent `alpha`; what is drawn over `cap` becomes `cap`. */
  | { readonly type: "pareto"; readonly min: number; readonly alpha: number; readonly cap: number };

const ACCEPTED = "0, fixed:1s, uniform:0s-5s, exponential:1s or pareto:MIN[,ALPHA[,CAP]]";
const DEFAULT_ALPHA = 1.5;
const DEFAULT_CAP_FACTOR = 20;

/** The smallest step of a {@linkcode Random} of 32 bits; what bounds a draw whose distribution has no end. */
const SMALLEST_DRAW = 2 ** -32;

/**
 * Reads a specification: `0`, `fixed:1s`, `uniform:0s-5s`, `exponential:1s`, `pareto:MIN[,ALPHA=1.5[,CAP=20×MIN]]`.
 *
 * @throws {TypeError} If `spec` is none of these
 * @throws {RangeError} If its figures make no distribution
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
  if (spec === "0") return { type: "none" };
  const colon = spec.indexOf(":");
  const rest = spec.slice(colon + 1);
  switch (spec.slice(0, Math.max(colon, 0))) {
    case "fixed":
      return { type: "fixed", delay: durationIn(spec, rest) };
    case "uniform": {
      const [min, max, ...more] = rest.split("-");
      if (min === undefined || max === undefined || more.length > 0) break;
      return uniform(spec, durationIn(spec, min), durationIn(spec, max));
    }
    case "exponential":
      return { type: "exponential", mean: durationIn(spec, rest) };
    case "pareto": {
      const [min, alpha, cap, ...more] = rest.split(",");
      if (min === undefined || more.length > 0) break;
      return pareto(spec, durationIn(spec, min), {
        alpha: alpha === undefined ? DEFAULT_ALPHA : Number(alpha),
        ...(cap !== undefined && { cap: durationIn(spec, cap) }),
      });
    }
  }
  throw new TypeError(`Reply delay must be ${ACCEPTED}: got "${spec}"`);
}

function uniform(spec: string, min: number, max: number): DelayDistribution {
  if (min > max) throw new RangeError(`Reply delay "${spec}" must not begin above its end`);
  return { type: "uniform", min, max };
}

function pareto(spec: string, min: number, options: { alpha: number; cap?: number }): DelayDistribution {
  const { alpha, cap = DEFAULT_CAP_FACTOR * min } = options;
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new RangeError(`Reply delay "${spec}" must have an ALPHA above 0`);
  }
  if (min === 0 || cap < min) {
    throw new RangeError(`Reply delay "${spec}" must have a MIN above 0 and a CAP not below it`);
  }
  return { type: "pareto", min, alpha, cap };
}

function durationIn(spec: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new TypeError(`Reply delay must be ${ACCEPTED}: got "${spec}", where "${text}" is no duration`, {
      cause,
    });
  }
}

/** The specification that {@linkcode parseReplyDelay} reads as `delay`. */
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

/** Draws one delay in ms, by inverting the distribution function; one number of `random` each. */
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
 * The longest delay that can be drawn, in ms. The exponential has no end of its own: here it ends at
 * 32 ln 2 = 22.2 times its mean, the most that a number of 32 random bits gives.
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
    case "pareto": { // the integral of the survival function up to the cap
      const { min, alpha, cap } = delay;
      if (alpha === 1) return min * (1 + Math.log(cap / min));
      return min + min / (alpha - 1) * (1 - (cap / min) ** (1 - alpha));
    }
  }
}
