/** Durations and sizes as people write them in a specification: `250ms`, `5s`, `64KiB`. Pure. @module */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const QUANTITY = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/;

/**
 * `250ms`, `5s`, `1m` in ms; a bare number is seconds.
 *
 * @throws {TypeError} If `text` is no duration
 */
export function parseDuration(text: string): number {
  const ms = parseQuantity(text, DURATION_UNITS, "s");
  if (ms === undefined) {
    throw new TypeError(`Duration must be a number with us, ms, s, m or h, like 250ms or 5s: got "${text}"`);
  }
  return ms;
}

/** A duration in ms, in the largest unit that keeps it a short number: `1.5s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 1000) return `${round(ms)}ms`;
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${round(ms / 1000)}s`;
}

/**
 * `512B`, `64KiB`, `1MiB` in bytes; a bare number is bytes.
 *
 * @throws {TypeError} If `text` is no size in whole bytes
 */
export function parseSize(text: string): number {
  const bytes = parseQuantity(text, SIZE_UNITS, "B");
  if (bytes === undefined || !Number.isSafeInteger(bytes)) {
    throw new TypeError(`Size must be a number with B, KiB, MiB or GiB, like 64KiB: got "${text}"`);
  }
  return bytes;
}

function parseQuantity(
  text: string,
  units: Readonly<Record<string, number>>,
  bare: string,
): number | undefined {
  const [, digits, unit] = QUANTITY.exec(text) ?? [];
  const scale = units[unit || bare];
  return digits === undefined || scale === undefined ? undefined : Number(digits) * scale;
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
