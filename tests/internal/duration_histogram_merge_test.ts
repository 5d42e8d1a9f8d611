import { assertEquals } from "@std/assert";
import { DurationHistogram } from "../../internal/duration_histogram.ts";
import { pure } from "../_util/permissions.ts";

function histogramOf(...durations: readonly number[]): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const ms of durations) histogram.record(ms);
  return histogram;
}

Deno.test("DurationHistogram.assign() replaces everything by the sum of other histograms", pure, () => {
  const sum = histogramOf(5000);
  sum.assign([histogramOf(1, 2).counts(), histogramOf(2, 300).counts()]);
  const expected = histogramOf(1, 2, 2, 300);
  assertEquals([sum.count, sum.sum], [4, 305]);
  assertEquals(sum.snapshot(), expected.snapshot());
  assertEquals(sum.percentiles([50, 99]), expected.percentiles([50, 99]));
  sum.assign([]);
  assertEquals([sum.count, sum.sum, sum.percentiles([50])], [0, 0, undefined]);
});

Deno.test("DurationHistogram.counts() is plain data", pure, () => {
  const counts = histogramOf(1, 1, 40).counts();
  assertEquals(JSON.parse(JSON.stringify(counts)), counts);
});
