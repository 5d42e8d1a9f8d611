/**
 * Chance that can be repeated: every draw of a load test comes from a stream named by the seed, what the draw is
 * for, and an index. Client 17 draws the same numbers whichever process runs it and whatever ran before. Pure.
 *
 * @module
 */
import type { Random } from "../../internal/clock.ts";

/** The numbers are part of what a seed means: a new purpose gets a new number. */
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
} as const;

/** What a stream of draws is for; streams of different purposes are independent. */
export type Purpose = keyof typeof PURPOSES;

/** The largest seed. Every whole number from 0 up to here is another plan. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** Rounds before the first draw, as PractRand does when it seeds sfc32. */
const WARM_UP = 15;

/**
 * The stream of draws for `purpose` and `index`, uniform in [0, 1) in steps of 2^-32.
 *
 * The generator is sfc32 ("small fast counting", Chris Doty-Humphrey, PractRand): 128 bits of state, a period of
 * 2^32 at the least, no known failure in PractRand or TestU01. Its state is laid out from seed, purpose and index,
 * each mixed by the finalizer of MurmurHash3 (Austin Appleby), so that neighbours have nothing in common.
 *
 * @param seed Whole number from 0 to {@linkcode MAX_SEED}
 * @param purpose What the draws are for
 * @param options.index Which stream of this purpose, a whole number from 0 to 2^32 - 1. Default 0
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
    throw new RangeError(`Index of a random stream must be a whole number from 0 to 2^32 - 1: got ${index}`);
  }
  let a = mix(seed | 0);
  let b = mix(Math.floor(seed / 2 ** 32) ^ 0x9e37_79b9); // not 0, where mix would stay
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

/** @throws {RangeError} If `seed` is not a whole number from 0 to {@linkcode MAX_SEED} */
export function assertSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`Seed must be a whole number from 0 to ${MAX_SEED}: got ${seed}`);
  }
}

/** MurmurHash3's 32-bit finalizer: every bit of the input moves every bit of the output. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return word ^ (word >>> 16);
}
