/** Formats numbers for the report. Pure. @module */

/** The text for a value that was not measured. */
export const MISSING = "–";

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Formats a count: `12,345`. */
export function formatCount(count: number | null): string {
  return count === null ? MISSING : GROUPED.format(count);
}

/** Formats three significant digits in ms or s: `0.42 ms`, `8.31 ms`, `512 ms`, `1.5 s`. */
export function formatMs(ms: number | null): string {
  if (ms === null || Number.isNaN(ms)) return MISSING;
  return ms < 999.5 ? `${significant(ms)} ms` : `${significant(ms / 1000)} s`;
}

/** Formats three significant digits, with at most three decimals: `0.004`, `8.31`, `512`, `12,345`. */
export function significant(value: number): string {
  if (Math.abs(value) >= 999.5) return GROUPED.format(value);
  const decimals = Math.abs(value) >= 99.95
    ? 0
    : Math.abs(value) >= 9.995
    ? 1
    : Math.abs(value) >= 0.9995
    ? 2
    : 3;
  return String(Number(value.toFixed(decimals)));
}
