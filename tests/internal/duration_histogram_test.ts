import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DurationHistogram, durationUnits } from "../../internal/duration_histogram.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("DurationHistogram.countBelow() is exact at powers of two ms", pure, () => {
  const durations = fc.array(fc.nat(100_000_000).map((units) => units / 64));
  fc.assert(fc.property(durations, fc.integer({ min: -1, max: 20 }), (all, power) => {
    const histogram = new DurationHistogram();
    for (const ms of all) histogram.record(ms);
    assertEquals(histogram.countBelow(2 ** power), all.filter((ms) => ms < 2 ** power).length);
    assertEquals(histogram.count, all.length);
  }));
});

Deno.test("DurationHistogram.percentiles() is within an eighth above the true percentile", pure, () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2 ** 29), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (all, percent) => {
        const histogram = new DurationHistogram();
        for (const units of all) histogram.recordUnits(units);
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(all.length * percent / 100) - 1]! / 64;
        const [found] = histogram.percentiles([percent])!;
        assert(found! >= exact && found! <= exact * 1.125 + 1 / 64, `${found} for ${exact}`);
      },
    ),
  );
});

Deno.test("DurationHistogram.percentiles() covers only values recorded since a snapshot", pure, () => {
  const histogram = new DurationHistogram();
  assertEquals(histogram.percentiles([50]), undefined);
  histogram.record(1000);
  const since = histogram.snapshot();
  assertEquals(histogram.percentiles([50], since), undefined);
  histogram.record(0);
  assertEquals(histogram.percentiles([50, 100], since), [0, 0]);
});

Deno.test("DurationHistogram.recordUnits() takes differences of times across the wrap", pure, () => {
  const histogram = new DurationHistogram();
  const wrap = 2 ** 30 / 64;
  histogram.recordUnits(durationUnits(wrap + 3) - durationUnits(wrap - 2));
  assertEquals([histogram.count, histogram.sum], [1, 5]);
});

Deno.test("DurationHistogram.record() clamps negative durations and those over 4.6 hours", pure, () => {
  const histogram = new DurationHistogram();
  histogram.record(-5);
  histogram.record(1e12);
  assertEquals(histogram.count, 2);
  assertEquals(histogram.sum, (2 ** 30 - 1) / 64);
});
