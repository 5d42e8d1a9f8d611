/** Sizes in bytes as people write them: `64KiB`, `1MiB`, `512B`; a bare number is bytes. Pure. @module */
import { quoted } from "./printable.ts";

const BYTES_PER_UNIT = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const LARGEST_FIRST = ["TiB", "GiB", "MiB", "KiB"] as const;
const SHAPE = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)?$/;
const AMBIGUOUS = /^\d+(?:\.\d+)?([kmgt])b?$/i;

/** The notation of {@linkcode parseSize}, for help and errors. */
export const SIZE_NOTATION = "a size such as 512B, 64KiB, 1.5MiB or 2GiB (a bare number is bytes)";

/**
 * Reads a size. `K` and `KB` are refused, since half of the world means 1000 by them and the other half 1024.
 *
 * @param text A number, whole or with decimals, and `B`, `KiB`, `MiB`, `GiB` or `TiB` right behind it; bytes where none is.
 * @returns Bytes, a safe integer from 0.
 * @throws {RangeError} `text` is something else, or does not come to a whole number of bytes.
 *
 * @example
 * ```ts
 * import { parseSize } from "./size.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSize("64KiB"), 65_536);
 * assertEquals(parseSize("1000"), 1000);
 * ```
 */
export function parseSize(text: string): number {
  const match = SHAPE.exec(text);
  if (match === null) {
    const prefix = AMBIGUOUS.exec(text)?.[1]?.toUpperCase();
    const hint = prefix === undefined ? "" : `; write ${prefix}iB for powers of 1024`;
    throw new RangeError(`Expected ${SIZE_NOTATION}, got ${quoted(text)}${hint}`);
  }
  const bytes = Number(match[1]) * BYTES_PER_UNIT[(match[2] ?? "B") as keyof typeof BYTES_PER_UNIT];
  if (!Number.isSafeInteger(bytes)) {
    throw new RangeError(
      `Expected a whole number of bytes up to ${Number.MAX_SAFE_INTEGER}, got ${quoted(text)}`,
    );
  }
  return bytes;
}

/**
 * Writes a size in the largest unit that needs at most three decimals, or in bytes.
 *
 * @param bytes A safe integer from 0.
 * @throws {RangeError} `bytes` is not such a number.
 *
 * @example
 * ```ts
 * import { formatSize } from "./size.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatSize(1_572_864), "1.5MiB");
 * assertEquals(formatSize(1000), "1000B");
 * ```
 */
export function formatSize(bytes: number): string {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`Cannot format a size: expected a whole number of bytes from 0, got ${bytes}`);
  }
  for (const unit of LARGEST_FIRST) {
    const amount = bytes / BYTES_PER_UNIT[unit];
    if (amount >= 1 && Number(amount.toFixed(3)) === amount) return `${amount}${unit}`;
  }
  return `${bytes}B`;
}
