/** Durations as people write them: `250ms`, `5s`, `1.5s`, `1m`, `2h`, `30d`; a bare number is seconds. Pure. @module */
import { quoted } from "./printable.ts";

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LARGEST_FIRST = ["d", "h", "m", "s", "ms"] as const;
const SHAPE = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/;

/** The longest duration, in ms: 36,500 days, about a hundred years. */
export const MAX_DURATION = 36_500 * 86_400_000;

/** The notation of {@linkcode parseDuration}, for help and errors. */
export const DURATION_NOTATION = "a duration such as 250ms, 1.5s, 5m, 2h, or 30d (a bare number is seconds)";

/**
 * Reads a duration.
 *
 * @param text A number, whole or with decimals, and `ms`, `s`, `m`, `h`, or `d` right behind it; seconds where none is.
 * @returns Milliseconds, from 0 to {@linkcode MAX_DURATION}, exact to the nanosecond, or to the microsecond over 11 days.
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
  const exact = Number(match[1]) * MS_PER_UNIT[unit];
  // 1.001 × 1000 is a little less than 1001. A number holds nanoseconds up to 11 days, and microseconds beyond.
  const precision = exact < 1e9 ? 1e6 : 1e3;
  const ms = Math.round(exact * precision) / precision;
  if (ms > MAX_DURATION) throw new RangeError(`Expected a duration of at most 36500d, got ${quoted(text)}`);
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
