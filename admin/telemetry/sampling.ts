/** Chooses a part of names at random, the same for the same seed. Pure. @module */

/** Options for the choice. */
export interface Sampling {
  readonly seed: number;
  /** The part to choose, from 0 to 1. */
  readonly ratio: number;
}

/**
 * Returns whether a name is chosen: by the hash FNV-1a (G. Fowler, L. C. Noll, and K.-P. Vo, 1991), mixed once more, because its
 * upper bits depend little on the last characters.
 *
 * @param from Where the name begins in `text`. Default 0.
 *
 * @example
 * ```ts
 * import { isSampled } from "./sampling.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isSampled("hello", { seed: 1, ratio: 1 }), true);
 * assertEquals(isSampled("hello", { seed: 1, ratio: 0 }), false);
 * ```
 */
export function isSampled(text: string, { seed, ratio }: Sampling, from = 0): boolean {
  let hash = 0x811c_9dc5 ^ seed;
  for (let index = from; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash ^= hash >>> 13;
  return (hash >>> 0) < ratio * 2 ** 32;
}
