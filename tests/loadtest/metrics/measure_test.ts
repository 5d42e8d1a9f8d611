import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { LatencyHistogram } from "../../../loadtest/metrics/latency.ts";
import { measure, peakConnections } from "../../../loadtest/metrics/measure.ts";
import { checkThreshold, describeThreshold, parseThreshold } from "../../../loadtest/metrics/threshold.ts";
import { ENDING, goodRun, ledgerOf, runEvent, SERVER, ZERO_STATE } from "../../_util/loadtest/run_events.ts";
import { summaryOf } from "../../_util/loadtest/run_summary.ts";
import { scenarioSummary } from "../../_util/loadtest/scenario_summary.ts";
import { pure } from "../../_util/permissions.ts";

const durations = fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 200 });

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

Deno.test("LatencyHistogram.percentile() returns the exact value within 0.1 %", pure, () => {
  fc.assert(fc.property(durations, fc.constantFrom(50, 90, 99, 99.9, 100), (values, percent) => {
    const exact = values.toSorted((a, b) =>
      a - b
    )[Math.max(0, Math.ceil(values.length * percent / 100) - 1)] ?? 0;
    const actual = histogramOf(values).percentile(percent) ?? NaN;
    assertAlmostEquals(actual, exact, 0.001 * exact + 0.001);
  }));
});

Deno.test("LatencyHistogram.merge() and mergeEncoded() equal one histogram", pure, () => {
  fc.assert(fc.property(durations, durations, (left, right) => {
    const whole = histogramOf([...left, ...right]);
    const merged = histogramOf(left);
    merged.merge(histogramOf(right));
    const sent = histogramOf(left);
    sent.mergeEncoded(histogramOf(right).encode());
    for (const other of [merged, sent]) {
      assertEquals(other.count, whole.count);
      for (const percent of [10, 50, 99, 100]) {
        const exact = whole.percentile(percent) ?? NaN;
        assertAlmostEquals(other.percentile(percent) ?? NaN, exact, 0.001 * exact + 0.001);
      }
    }
  }));
});

Deno.test("LatencyHistogram.record() keeps microseconds, and counts negative durations as 0", pure, () => {
  const histogram = histogramOf([0.003, -5]);
  assertEquals([histogram.percentile(50), histogram.max, histogram.count], [0, 0.003, 2]);
});

Deno.test(
  "LatencyHistogram.percentiles() returns durations that 50 to 99.9 % do not exceed",
  pure,
  () => {
    const { max, ...others } = histogramOf(Array.from({ length: 2000 }, (_, ms) => ms + 1)).percentiles();
    const exact = { p50: 1000, p90: 1800, p95: 1900, p99: 1980, p999: 1998 };
    assertEquals(max, 2000);
    for (const [name, ms] of Object.entries(exact)) {
      assertAlmostEquals(Reflect.get(others, name), ms, 0.001 * ms, name);
    }
  },
);

Deno.test("LatencyHistogram.percentiles() returns null when it is empty", pure, () => {
  const none = new LatencyHistogram();
  assertEquals(none.percentiles(), { p50: null, p90: null, p95: null, p99: null, p999: null, max: null });
  assertEquals(none.curve(), []);
});

Deno.test("LatencyHistogram.curve() rises to the maximum at 100 %", pure, () => {
  fc.assert(fc.property(durations, (values) => {
    const histogram = histogramOf(values);
    const curve = histogram.curve();
    assertEquals(curve.at(-1), { percentile: 100, ms: histogram.max ?? NaN });
    for (const [i, point] of curve.entries()) {
      const before = curve[i - 1];
      assert(!before || (before.percentile < point.percentile && before.ms <= point.ms));
    }
  }));
});

/** Client 0 sends at 3 ms what others hold as said, and has its ok at 100 ms; `at` for receiving, then answering. */
function heldRun(
  holds: readonly { client: number; from: number; to: number; dropped?: boolean }[],
): HistoryEvent[] {
  const remote = SERVER;
  const holders = holds.flatMap(({ client, from, to, dropped }): HistoryEvent[] => [
    { event: "planned", client, at: 0, text: "" },
    { event: "start", client, at: 0 },
    { event: "connect", client, at: 1, took: 1, local: `127.0.0.1:${client}`, remote },
    { event: "receive", client, at: from, message: 0 },
    dropped
      ? { event: "close", client, at: to, reason: "reset" }
      : { event: "answer", client, at: to, message: 0 },
  ]);
  return [
    runEvent(10),
    { event: "planned", client: 0, at: 0, text: "" },
    { event: "start", client: 0, at: 2 },
    { event: "connect", client: 0, at: 3, took: 1, local: "127.0.0.1:9", remote },
    { event: "send", client: 0, at: 3 },
    ...holders,
    { event: "ack", client: 0, at: 100, message: 0 },
    ...ENDING,
  ];
}

Deno.test(
  "measure() subtracts the time for which any client held the message",
  pure,
  () => {
    const relay = (...holds: Parameters<typeof heldRun>[0]) => measure(ledgerOf(heldRun(holds))).relay.max;
    assertEquals(relay(), 98);
    assertEquals(relay({ client: 1, from: 10, to: 60 }), 48);
    // One after the other, as when the first holder is gone.
    assertEquals(relay({ client: 1, from: 10, to: 30, dropped: true }, { client: 2, from: 50, to: 90 }), 38);
    // At once, as after an ack timeout: what overlaps counts once, and nothing after the ok.
    assertEquals(relay({ client: 1, from: 10, to: 60 }, { client: 2, from: 40, to: 500 }), 8);
    assertEquals(relay({ client: 1, from: 10, to: 90 }, { client: 2, from: 20, to: 30 }), 18);
  },
);

Deno.test("measure() measures from the actual and from the planned start", pure, () => {
  const { total, fromPlanned, scheduleLag, connect, held, fairness } = measure(ledgerOf(goodRun(4)));
  assertEquals([total.max, fromPlanned.max, scheduleLag.max, connect.max, held.max], [19, 20, 1, 2, 10]);
  assertEquals([total.count, held.count, fairness], [4, 4, 1]);
});

Deno.test("measure() returns as fairness the share of clients that were not left waiting", pure, () => {
  const fairness = (slow: number) => {
    const late = (event: HistoryEvent) => event.event === "ack" && event.client < slow;
    return measure(ledgerOf(goodRun(100).map((event) => late(event) ? { ...event, at: 5000 } : event)))
      .fairness;
  };
  assertAlmostEquals(fairness(0) ?? NaN, 1, 1e-9);
  assertAlmostEquals(fairness(1) ?? NaN, 0.99, 0.001);
  assertAlmostEquals(fairness(50) ?? NaN, 0.5, 0.01);
  assertEquals(measure(ledgerOf([runEvent(1)])).fairness, null);
});

Deno.test("peakConnections() returns the most connections open at the same time", pure, () => {
  // Each is open from 3 to 22 ms after its start, and one starts every 10 ms.
  assertEquals(peakConnections(ledgerOf(goodRun(10))), 2);
  // One ends at the very instant at which the next one begins.
  const touching = goodRun(10).map((event) =>
    event.event === "close" ? { ...event, at: event.at - 9 } : event
  );
  assertEquals(peakConnections(ledgerOf(touching)), 1);
  const open = goodRun(10).filter((event) => event.event !== "close");
  assertEquals(peakConnections(ledgerOf(open)), 10);
  assertEquals(peakConnections(ledgerOf([runEvent(1)])), 0);
});

Deno.test("summarize() returns every field of the documented format", pure, () => {
  const { findings, thresholds, ...summary } = summaryOf(goodRun(4));
  assertEquals([findings, thresholds], [[], []]);
  const flat = (ms: number) => ({ p50: ms, p90: ms, p95: ms, p99: ms, p999: ms, max: ms });
  const unknown = { p50: null, p90: null, p95: null, p99: null, p999: null };
  assertEquals(summary, {
    verdict: "proven",
    findingCounts: {},
    seed: 1,
    clients: 4,
    started: 4,
    acked: 4,
    lost: 0,
    unexpected: 0,
    duplicates: 0,
    recovered: 0,
    resent: 0,
    redelivered: 0,
    reconnects: 0,
    refused: 0,
    underWay: 0,
    stray: 0,
    closed: { natural: 4, timeout: 0, error: 0 },
    peakConnections: 2,
    server: { connections: 0, pending: 0, timers: 0, queuedBytes: 0, descriptors: 0, closed: {} },
    latency: { unit: "ms", ...flat(19), fromPlanned: flat(20), relay: flat(9) },
    confidence: { level: 0.99, latency: { ...unknown, fromPlanned: unknown, relay: unknown } },
    connect: flat(2),
    held: flat(10),
    scheduleLag: flat(1),
    fairness: 1,
    cpu: { server: 0.5, generator: null },
    memory: { server: 1024, generator: null },
    durationMs: 2000,
    plan: null,
    schema: 1,
  });
});

Deno.test("summarize() returns what the server was left with, or null when it is unknown", pure, () => {
  const leaking = goodRun(2).map((event) => {
    return event.event === "server" ? { ...event, state: { ...ZERO_STATE, pending: 3 } } : event;
  });
  const { server, verdict, findings } = summaryOf(leaking);
  assertEquals([server?.pending, verdict, findings.length], [3, "failed", 1]);
  const unasked = goodRun(2, { server: "foreign" }).filter((event) => event.event !== "server");
  const foreign = summaryOf(unasked);
  assertEquals([foreign.server, foreign.stray, foreign.verdict], [null, null, "delivered"]);
});

Deno.test("summarize() returns the verdict threshold only when the run is good", pure, () => {
  assertEquals(summaryOf(goodRun(4), { thresholds: ["p99<500ms", "lost==0"] }).verdict, "proven");
  const crossed = summaryOf(goodRun(4), { thresholds: ["p99<500ms", "p50<1ms"] });
  assertEquals([crossed.verdict, crossed.thresholds.map(({ holds }) => holds)], ["threshold", [true, false]]);
  const failed = goodRun(4).filter((event) => event.event !== "answer");
  assertEquals(summaryOf(failed, { thresholds: ["p50<1ms"] }).verdict, "failed");
});

Deno.test("parseThreshold() and checkThreshold() accept every operator, metric, and unit", pure, () => {
  const summary = summaryOf(goodRun(4));
  const cases: readonly (readonly [string, boolean])[] = [
    ["p99 < 500ms", true],
    ["p50<19ms", false],
    ["p50<=19ms", true],
    ["p95<19ms", false],
    ["max>=0.019s", true],
    ["fromPlanned.p99==20ms", true],
    ["relay.p999!=9ms", false],
    ["connect.max>2ms", false],
    ["held.p90<=10ms", true],
    ["scheduleLag.p99<=1ms", true],
    ["duration<1m", true],
    ["lost==0", true],
    ["lost<1%", true],
    ["acked>=100%", true],
    ["acked<50%", false],
    ["closed.natural==4", true],
    ["peakConnections>2", false],
    ["fairness>=0.99", true],
    ["cpu.server<0.5", false],
    ["cpu.generator<100", false],
    ["p99>0", true],
    ["inFlight==0", true],
    ["underWay>0%", false],
  ];
  for (const [text, holds] of cases) {
    assertEquals(checkThreshold(parseThreshold(text), summary).holds, holds, text);
  }
});

Deno.test("checkThreshold() does not hold, and names what there is, for an unknown step or metric", async () => {
  const summary = await scenarioSummary();
  const checked = ["step.PUT.p99<1s", "metric.queue.max<3", "step.one.p99<1s"].map((expression) =>
    checkThreshold(parseThreshold(expression), summary)
  );
  assertEquals(checked.map(({ holds }) => holds), [false, false, true]);
  assertEquals(checked.slice(0, 2).map(describeThreshold), [
    'step.PUT.p99<1s: not measured, no step "PUT", only "one", "two", "three"',
    'metric.queue.max<3: not measured, no metric "queue", only "size"',
  ]);
  const relay = checkThreshold(parseThreshold("step.PUT.p99<1s"), summaryOf(goodRun(4)));
  assertEquals(describeThreshold(relay), 'step.PUT.p99<1s: not measured, no step "PUT", and no other');
});

Deno.test("parseThreshold() keeps spaces in the name of a step, and removes all others", pure, () => {
  const parsed = (text: string) => {
    const { metric, bound, expression } = parseThreshold(text);
    return [metric, bound, expression];
  };
  assertEquals(parsed(" step.log in.p99 < 5 s @abort : 1s "), [
    "step.log in.p99",
    5000,
    "step.log in.p99<5s@abort:1s",
  ]);
  assertEquals(parsed("p 99 <= 5 ms"), ["p99", 5, "p99<=5ms"]);
});

Deno.test("describeThreshold() shows the value in the unit of the bound", pure, () => {
  const summary = summaryOf(goodRun(4));
  const described = (text: string) => describeThreshold(checkThreshold(parseThreshold(text), summary));
  assertEquals(described("p99 < 0.5s"), "p99<0.5s: 19ms");
  assertEquals(described("acked<50%"), "acked<50%: 100%");
  assertEquals(described("peakConnections<5"), "peakConnections<5: 2");
  assertEquals(described("cpu.generator<1"), "cpu.generator<1: not measured");
});

Deno.test("parseThreshold() names the value and what is accepted when it throws", pure, () => {
  const cases: readonly (readonly [string, string])[] = [
    ["p99", 'Cannot use threshold "p99": expected a metric'],
    ["", 'Cannot use threshold ""'],
    ["p99=500ms", "one of <= >= == != < >"],
    ["p99<<500ms", "expected a metric"],
    ["p99<500", "expected a unit, as in p99<500ms"],
    ["p99<5%", "expected a duration as the bound"],
    [
      "p98<5ms",
      "expected one of p50, p90, p95, p99, p999, max, alone or after one of fromPlanned., relay., connect., held., " +
      "scheduleLag., step.NAME., metric.NAME.; or one of duration, acked, lost,",
    ],
    ["toString<5", "expected one of"],
    ["lost<5ms", "expected a number, or percent of the clients, as the bound"],
    ["fairness>90%", "expected a number, as the bound"],
    ["lost<-1", "expected a number"],
  ];
  for (const [text, message] of cases) assertThrows(() => parseThreshold(text), TypeError, message);
});
