import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { compareRuns, type SummaryRecord } from "../../../loadtest/metrics/comparison.ts";
import { percentileIntervals } from "../../../loadtest/metrics/confidence.ts";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";
import { countsDiffer, estimatesDiffer, permutationShare } from "../../../loadtest/metrics/statistics.ts";
import { goodRun } from "../../_util/loadtest/run_events.ts";
import { summaryOf } from "../../_util/loadtest/run_summary.ts";
import { scenarioSummary } from "../../_util/loadtest/scenario_summary.ts";
import { pure } from "../../_util/permissions.ts";

/** Exponential durations with a mean of 1 ms that goes up and down in the course of a run, as much as `unsteady` says. */
function simulated(run: number, { unsteady = 0, count = 3000 } = {}): Float64Array {
  const random = randomStream(1, "fault", { index: run });
  let level = 1;
  return Float64Array.from({ length: count }, (_, index) => {
    if (index % 50 === 0) level = 1 + unsteady * (2 * random() - 1);
    return -level * Math.log(1 - random());
  });
}

/** Counts the runs in which the interval of a percentile contains the percentile. */
function coverage(
  percentile: "p50" | "p90" | "p99",
  { unsteady, truth }: { unsteady: number; truth: number },
): number {
  let held = 0;
  for (let run = 0; run < 200; run++) {
    const [low, high] = percentileIntervals(simulated(run, { unsteady }))[percentile] ?? [NaN, NaN];
    if (low <= truth && truth <= high) held++;
  }
  return held / 200;
}

Deno.test(
  "percentileIntervals() contains the percentile in 99 of 100 runs, steady or unsteady",
  pure,
  () => {
    for (const [percentile, share] of [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const) {
      const truth = -Math.log(1 - share);
      assert(coverage(percentile, { unsteady: 0, truth }) >= 0.97, percentile);
    }
    const many = Float64Array.from(
      Array.from({ length: 100 }, (_, run) => [...simulated(1000 + run, { unsteady: 0.9 })]).flat(),
    )
      .sort();
    const truth = many[many.length / 2] ?? NaN;
    assert(coverage("p50", { unsteady: 0.9, truth }) >= 0.97);
  },
);

Deno.test(
  "percentileIntervals() is narrow when many durations agree, and wider when a run is unsteady",
  pure,
  () => {
    const widthOf = (durations: Float64Array): number => {
      const [low, high] = percentileIntervals(durations).p50 ?? [NaN, NaN];
      return high - low;
    };
    assert(widthOf(simulated(1)) < 0.25);
    assert(widthOf(simulated(1, { unsteady: 0.9 })) > 1.5 * widthOf(simulated(1)));
    assert(widthOf(simulated(1, { count: 30_000 })) < 0.5 * widthOf(simulated(1)));
  },
);

Deno.test("percentileIntervals() returns null when there are too few durations", pure, () => {
  const few = percentileIntervals(simulated(1, { count: 299 }));
  assertEquals(few, { p50: null, p90: null, p95: null, p99: null, p999: null });
  const { p50, p999 } = percentileIntervals(simulated(1));
  assertEquals([p50 === null, p999], [false, null]);
  const withGaps = Float64Array.from([...simulated(1), NaN, NaN]);
  assertEquals(percentileIntervals(withGaps), percentileIntervals(simulated(1)));
});

Deno.test("permutationShare() returns the share of permutations that are at least as uneven", pure, () => {
  assertEquals(permutationShare([1, 2, 3], [10, 11, 12]), 2 / 20);
  assertEquals(permutationShare([1, 2], [1, 2]), 1);
  assertEquals(permutationShare([5], [7]), 1);
  assertAlmostEquals(permutationShare([0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1]), 2 / 252, 1e-12);
});

Deno.test("countsDiffer() returns false when chance explains the difference", pure, () => {
  assertEquals([[0, 0], [0, 3], [3, 0], [100, 120], [1000, 1080]].map(([a, b]) => countsDiffer(a!, b!)), [
    false,
    false,
    false,
    false,
    false,
  ]);
  assertEquals([[0, 8], [100, 150], [1000, 1200]].map(([a, b]) => countsDiffer(a!, b!)), [true, true, true]);
});

Deno.test("estimatesDiffer() combines both intervals into one of the difference", pure, () => {
  const at = (value: number) => ({ value, interval: [value - 3, value + 4] as const });
  assertEquals(estimatesDiffer(at(10), at(14.9)), false);
  assertEquals(estimatesDiffer(at(10), at(15.1)), true); // the interval of the difference is 5 ± hypot(3, 4)
  assertEquals(estimatesDiffer(at(15.1), at(10)), true);
});

/** A run as a summary has it, with a relay latency and others. */
function run(p50: number, others: SummaryRecord = {}): SummaryRecord {
  const interval = [0.95 * p50, 1.05 * p50];
  return {
    verdict: "proven",
    clients: 1000,
    lost: 0,
    resent: 0,
    fairness: 0.99,
    latency: { relay: { p50 } },
    confidence: { latency: { relay: { p50: interval } } },
    ...others,
  };
}

function judgedOf(figure: string, ...runs: Parameters<typeof compareRuns>): string | undefined {
  return compareRuns(...runs).changes.find((change) => change.figure === figure)?.judged;
}

Deno.test(
  "compareRuns() reports noise and possible changes when there is one run on each side",
  pure,
  () => {
    const figure = "latency.relay.p50";
    assertEquals(judgedOf(figure, [run(10)], [run(10)]), "same");
    assertEquals(judgedOf(figure, [run(10)], [run(10.5)]), "noise");
    assertEquals(judgedOf(figure, [run(10)], [run(12)]), "maybe worse");
    assertEquals(judgedOf(figure, [run(12)], [run(10)]), "maybe better");
    assertEquals(judgedOf(figure, [run(10, { confidence: null })], [run(12)]), "unknown");
    assertEquals(judgedOf("fairness", [run(10)], [run(10, { fairness: 0.5 })]), "unknown");
    assertEquals(judgedOf("resent", [run(10)], [run(10, { resent: 9 })]), "maybe worse");
    assertEquals(judgedOf("resent", [run(10)], [run(10, { resent: 9, clients: 9 })]), "unknown");
    const { worse, remarks } = compareRuns([run(10)], [run(12)]);
    assertEquals([worse, remarks.length], [false, 1]);
  },
);

Deno.test(
  "compareRuns() reports changes beyond the variation when there are five runs on each side",
  pure,
  () => {
    const figure = "latency.relay.p50";
    const runs = (...values: number[]) => values.map((value) => run(value, { fairness: 1 / value }));
    const before = runs(10, 14, 11, 9, 12);
    assertEquals(judgedOf(figure, before, runs(15, 19, 16, 20, 17)), "worse");
    assertEquals(judgedOf(figure, before, runs(5, 6, 4, 7, 5)), "better");
    assertEquals(judgedOf(figure, before, runs(12, 16, 13, 11, 14)), "noise");
    assertEquals(judgedOf("fairness", before, runs(15, 19, 16, 20, 17)), "worse");
    assertEquals(compareRuns(before, runs(15, 19, 16, 20, 17)).worse, true);
    assertEquals(compareRuns(before, before), { ...compareRuns(before, before), remarks: [], worse: false });
  },
);

Deno.test("compareRuns() reports any increase of a count that must be 0", pure, () => {
  const lost = run(10, { verdict: "failed", lost: 1 });
  assertEquals(judgedOf("lost", [run(10)], [lost]), "worse");
  assertEquals(judgedOf("lost", [lost], [run(10)]), "better");
  assertEquals([compareRuns([run(10)], [lost]).worse, compareRuns([lost], [run(10)]).worse], [true, false]);
  assertEquals(compareRuns([run(10)], [run(10, { verdict: "threshold" })]).worse, true);
});

Deno.test(
  "compareRuns() judges nothing when a run is invalid, and reports differences of the plans",
  pure,
  () => {
    const invalid = compareRuns([run(10)], [run(99, { verdict: "invalid" })]);
    assertEquals(invalid.worse, null);
    assertEquals(new Set(invalid.changes.map(({ judged }) => judged)), new Set(["unknown"]));
    const { remarks } = compareRuns([run(10)], [run(10, { clients: 5 })]);
    assertEquals(remarks[0], "The runs are of different tests: clients was 1000, then 5");
    assertThrows(
      () => compareRuns([], [run(1)]),
      RangeError,
      "Cannot compare 0 runs on one side: expected 1 to 10",
    );
    assertThrows(
      () => compareRuns([run(1)], new Array(11).fill(run(1))),
      RangeError,
      "Cannot compare 11 runs on one side",
    );
  },
);

Deno.test("compareRuns() finds every metric in a written summary", pure, async () => {
  const summary = JSON.parse(JSON.stringify(summaryOf(goodRun(400)))) as SummaryRecord;
  const { changes } = compareRuns([summary], [{ ...summary, cpu: { server: 2, generator: 1 } }]);
  const missing = changes.filter(({ before }) => before === null).map(({ figure }) => figure);
  const ofScenario = missing.filter((figure) => figure.startsWith("scenario."));
  assertEquals(missing.filter((figure) => !ofScenario.includes(figure)), ["cpu.generator"]); // unknown in this summary
  const other = JSON.parse(JSON.stringify(await scenarioSummary())) as SummaryRecord;
  const found = compareRuns([other], [other]).changes.filter(({ before }) => before !== null);
  assertEquals(
    found.map(({ figure }) => figure).filter((figure) => figure.startsWith("scenario.")),
    ofScenario,
  );
  assertEquals(judgedOf("latency.relay.p50", [summary], [summary]), "same");
  assert(Array.isArray(intervalIn(summary)), "the intervals are where they are looked for");
});

function intervalIn(summary: SummaryRecord): unknown {
  const { latency } = summary.confidence as { latency: { relay: { p50: unknown } } };
  return latency.relay.p50;
}
