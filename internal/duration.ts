/** Durations as people write them: `250ms`, `5s`, `1.5s`, `1m`, `2h`; a bare number is seconds. Pure. @module */
import { quoted } from "./printable.ts";

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const LARGEST_FIRST = ["h", "m", "s", "ms"] as const;
const SHAPE = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;

/** The longest duration there is, in ms (24.8 days): a timer given more than this fires at once. */
export const MAX_DURATION = 2 ** 31 - 1;

/** What {@linkcode parseDuration} takes, for help and errors. */
export const DURATION_NOTATION = "a duration such as 250ms, 1.5s, 5m or 2h (a bare number is seconds)";

/**
 * Reads a duration.
 *
 * @param text A number, whole or with decimals, and `ms`, `s`, `m` or `h` right behind it; seconds where none is.
 * @returns Milliseconds, from 0 to {@linkcode MAX_DURATION}, exact to the nanosecond.
 * @throws {RangeError} `text` is something else, or longer than {@linkcode MAX_DURATION}.
 *
 * @example
 * ```ts
 * import { parseDuration } from "./duration.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseDuration("1.5s"), 1500);
 * assertEquals(parseDuration("60"), 60_000);
 * ```
 */
export function parseDuration(text: string): number {
  const match = SHAPE.exec(text);
  if (match === null) throw new RangeError(`Expected ${DURATION_NOTATION}, got ${quoted(text)}`);
  const unit = (match[2] ?? "s") as keyof typeof MS_PER_UNIT;
  // Rounded to the nanosecond, because 1.001 × 1000 is a little less than 1001.
  const ms = Math.round(Number(match[1]) * MS_PER_UNIT[unit] * 1e6) / 1e6;
  if (ms > MAX_DURATION) throw new RangeError(`Expected a duration of at most 24 days, got ${quoted(text)}`);
  return ms;
}

/**
 * Writes a duration in the largest unit that needs at most three decimals and is at least 1; `0s` for nothing.
 *
 * @param ms Milliseconds, from 0 to {@linkcode MAX_DURATION}; anything under a nanosecond is rounded.
 * @throws {RangeError} `ms` is not such a number.
 *
 * @example
 * ```ts
 * import { formatDuration } from "./duration.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatDuration(1500), "1.5s");
 * assertEquals(formatDuration(250), "250ms");
 * ```
 */
export function formatDuration(ms: number): string {
  if (!(ms >= 0 && ms <= MAX_DURATION)) {
    throw new RangeError(`Cannot format a duration: expected 0 to ${MAX_DURATION} ms, got ${ms}`);
  }
  if (ms === 0) return "0s";
  for (const unit of LARGEST_FIRST) {
    const amount = ms / MS_PER_UNIT[unit];
    const text = String(Number(amount.toFixed(3)));
    if (amount >= 1 && parseDuration(text + unit) === ms) return text + unit;
  }
  return `${Number(ms.toFixed(6))}ms`;
}
