/**
 * Reproducible random numbers. Every draw of a load test comes from a stream named by the seed, a purpose, and an index.
 * Client 17 draws the same numbers in any process and in any order. Pure.
 *
 * @module
 */
import type { Random } from "../../internal/clock.ts";
import { assertInteger } from "./check_option.ts";

/** These numbers are part of the meaning of a seed: a new purpose gets a new number. */
const PURPOSES = {
  arrival: 1,
  payload: 2,
  "reply-delay": 3,
  "foreign-delay": 4,
  receiver: 5,
  fault: 6,
  session: 7,
  "data-row": 8,
  message: 9,
  "back-off": 10,
} as const;

/** The purpose of a stream; streams of different purposes are independent. */
export type Purpose = keyof typeof PURPOSES;

/** The largest seed. Each integer from 0 to here gives another plan. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** Rounds before the first draw, as in PractRand. */
const WARM_UP = 15;

/**
 * Returns the stream for `purpose` and `index`: numbers uniform in [0, 1), in steps of 2^-32.
 *
 * The generator is sfc32 ("small fast counting", Chris Doty-Humphrey, PractRand): 128 bits of state, a period of
 * at least 2^32, no known failure in PractRand or TestU01. Its state comes from seed, purpose, and index, each mixed by
 * the finalizer of MurmurHash3 (Austin Appleby), so that neighboring streams are unrelated.
 *
 * @param seed Integer from 0 to {@linkcode MAX_SEED}
 * @param purpose The purpose of the draws
 * @param options.index Which stream of this purpose: an integer from 0 to 2^32 - 1. Default 0
 * @throws {RangeError} If `seed` or `index` is out of range
 *
 * @example
 * ```ts
 * import { randomStream } from "./seeded_random.ts";
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * const first = randomStream(7, "reply-delay", { index: 17 })();
 * assertEquals(randomStream(7, "reply-delay", { index: 17 })(), first);
 * assertNotEquals(randomStream(7, "reply-delay", { index: 18 })(), first);
 * ```
 */
export function randomStream(seed: number, purpose: Purpose, { index = 0 }: { index?: number } = {}): Random {
  assertSeed(seed);
  if (!Number.isInteger(index) || index < 0 || index > 0xffff_ffff) {
    throw new RangeError(`Cannot use random stream ${index}: expected an integer from 0 to 2^32 - 1`);
  }
  let a = mix(seed | 0);
  let b = mix(Math.floor(seed / 2 ** 32) ^ 0x9e37_79b9); // Not 0, which mix maps to itself.
  let c = mix(index);
  let counter = mix(PURPOSES[purpose]);
  const next = (): number => {
    const drawn = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  };
  for (let round = 0; round < WARM_UP; round++) next();
  return () => next() / 2 ** 32;
}

/** @throws {OptionError} If `seed` is not an integer from 0 to {@linkcode MAX_SEED} */
export function assertSeed(seed: number): void {
  assertInteger("seed", seed, { min: 0, max: MAX_SEED });
}

/** MurmurHash3's 32-bit finalizer: every input bit affects every output bit. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return word ^ (word >>> 16);
}
