import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MAX_SEED, randomStream } from "../../../loadtest/plan/seeded_random.ts";
import { pure } from "../../_util/permissions.ts";

const seeds = fc.integer({ min: 0, max: MAX_SEED });

Deno.test("randomStream() draws the recorded numbers of a seed", pure, () => {
  const draw = randomStream(1, "arrival");
  // A change here makes every seed that anybody wrote down mean another run.
  assertEquals([draw(), draw(), draw()].map((drawn) => drawn * 2 ** 32), [1133609687, 403147404, 574014802]);
});

Deno.test("randomStream() follows sfc32 step by step", pure, () => {
  const draw = randomStream(5, "payload", { index: 9 });
  const model = sfc32Model(5, 2, 9);
  for (let i = 0; i < 1000; i++) assertEquals(draw() * 2 ** 32, model());
});

Deno.test("randomStream() is in [0, 1) and reproducible for any seed and index", pure, () => {
  fc.assert(fc.property(seeds, fc.integer({ min: 0, max: 0xffff_ffff }), (seed, index) => {
    const [one, other] = [1, 2].map(() => {
      const draw = randomStream(seed, "payload", { index });
      return [draw(), draw(), draw()];
    });
    assertEquals(one, other);
    assert(one?.every((drawn) => drawn >= 0 && drawn < 1));
  }));
});

Deno.test("randomStream() draws unrelated numbers for neighboring indexes, seeds, and purposes", pure, () => {
  const streams = [
    (i: number) => randomStream(1, "reply-delay", { index: i }),
    (i: number) => randomStream(i, "reply-delay"),
    (i: number) => randomStream(2 ** 32 * i, "reply-delay"),
  ];
  const count = 20_000;
  for (const stream of streams) {
    const firsts = Array.from({ length: count }, (_, i) => stream(i)());
    assertAlmostEquals(correlation(firsts.slice(1), firsts.slice(0, -1)), 0, 4 / Math.sqrt(count));
    assert(chiSquare(firsts) < 180, "99 degrees of freedom: 180 is beyond one in a million");
  }
  const both = Array.from({ length: count }, (_, index) => [
    randomStream(1, "reply-delay", { index })(),
    randomStream(1, "payload", { index })(),
  ]);
  const [delays, payloads] = [0, 1].map((column) => both.map((row) => row[column] ?? NaN));
  assertAlmostEquals(correlation(delays ?? [], payloads ?? []), 0, 4 / Math.sqrt(count));
});

Deno.test("randomStream() throws when the seed or the index is out of range", pure, () => {
  for (const seed of [-1, 1.5, NaN, MAX_SEED + 1]) {
    assertThrows(() => randomStream(seed, "arrival"), RangeError, `Cannot use seed ${seed}:`);
  }
  for (const index of [-1, 0.5, 2 ** 32]) {
    assertThrows(() => randomStream(1, "arrival", { index }), RangeError, `random stream ${index}:`);
  }
});

/** The same generator in arithmetic without a limit, cut to 32 bits where its definition says so. */
function sfc32Model(seed: number, purpose: number, index: number): () => number {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  const mix = (value: bigint): bigint => {
    value = word(value);
    value = word((value ^ (value >> 16n)) * 0x85ebca6bn);
    value = word((value ^ (value >> 13n)) * 0xc2b2ae35n);
    return value ^ (value >> 16n);
  };
  let [a, b, c, counter] = [
    mix(BigInt(seed)),
    mix((BigInt(seed) >> 32n) ^ 0x9e3779b9n),
    mix(BigInt(index)),
    mix(BigInt(purpose)),
  ] as [bigint, bigint, bigint, bigint];
  const next = (): number => {
    const drawn = word(a + b + counter);
    counter = word(counter + 1n);
    a = b ^ (b >> 9n);
    b = word(c + (c << 3n));
    c = word(word((c << 21n) | (c >> 11n)) + drawn);
    return Number(drawn);
  };
  for (let round = 0; round < 15; round++) next();
  return next;
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const product = (a: number[], b: number[]): number =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  const centred = (values: readonly number[]): number[] => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => value - mean);
  };
  const [cx, cy] = [centred(x), centred(y)];
  return product(cx, cy) / Math.sqrt(product(cx, cx) * product(cy, cy));
}

/** Against the uniform distribution, in 100 classes. */
function chiSquare(values: readonly number[]): number {
  const counts = new Array<number>(100).fill(0);
  for (const value of values) counts[Math.floor(value * 100)] = (counts[Math.floor(value * 100)] ?? 0) + 1;
  const expected = values.length / 100;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
