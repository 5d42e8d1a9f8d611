import { assertEquals } from "@std/assert";
import { LatencyHistogram } from "../../../loadtest/metrics/latency.ts";
import type { RunProgress } from "../../../loadtest/run_plan.ts";
import { startLiveView } from "../../../cli/loadtest/live_view.ts";
import { pure } from "../../_util/permissions.ts";

function collect(): {
  lines: () => string[];
  sink: { isTerminal: () => boolean; writeSync: (bytes: Uint8Array) => number };
} {
  let text = "";
  const decoder = new TextDecoder();
  const writeSync = (bytes: Uint8Array): number => {
    text += decoder.decode(bytes);
    return bytes.length;
  };
  return { lines: () => text.split("\n").slice(0, -1), sink: { isTerminal: () => false, writeSync } };
}

function progressAt(
  elapsed: number,
  acknowledged: number,
  latencies: readonly number[] = [],
): RunProgress {
  const histogram = new LatencyHistogram();
  for (const ms of latencies) histogram.record(ms);
  return {
    clients: 100,
    elapsed,
    left: 0,
    started: acknowledged + 5,
    refused: { count: 0, why: "" },
    acknowledged,
    open: 5,
    resent: 1,
    finished: acknowledged,
    latency: histogram.encode(),
    lag: 0,
    soFar: { verdict: null, findings: [] },
    warnings: [],
    pace: undefined,
  };
}

Deno.test("LiveView.update() shows acks per second of late, and percentiles so far", pure, async () => {
  const { lines, sink } = collect();
  using view = await startLiveView(100, { sink, warn: () => {}, lineInterval: 0, now: () => 0 });
  view.update(progressAt(0, 0));
  view.update(progressAt(1000, 50, [1, 2, 3]));
  for (const elapsed of [2000, 3000, 4000]) view.update(progressAt(elapsed, 60, [1.234, 12_345]));
  assertEquals(lines(), [
    "0/100 (0%) 0 acked at 0/s, p50 - p99 -, 5 open, 1 resent, 5 started",
    "50/100 (50%) 50 acked at 50/s, p50 2ms p99 3ms, 5 open, 1 resent, 55 started",
    "60/100 (60%) 60 acked at 30/s, p50 1.2ms p99 12s, 5 open, 1 resent, 65 started",
    "60/100 (60%) 60 acked at 5/s, p50 1.2ms p99 12s, 5 open, 1 resent, 65 started",
    "60/100 (60%) 60 acked at 0/s, p50 1.2ms p99 12s, 5 open, 1 resent, 65 started",
  ]);
});

Deno.test("LiveView.update() says that the run is paused", pure, async () => {
  const { lines, sink } = collect();
  using view = await startLiveView(100, { sink, warn: () => {}, lineInterval: 0, now: () => 0 });
  const pace = { paused: true, speed: 1, rate: 0, stage: 0, stageElapsed: 0 };
  view.update({ ...progressAt(0, 0), pace });
  assertEquals(lines(), ["0/100 (0%) paused, 0 acked at 0/s, p50 - p99 -, 5 open, 1 resent, 5 started"]);
});

Deno.test("LiveView.update() shows nothing when quiet", pure, async () => {
  const { lines, sink } = collect();
  {
    using view = await startLiveView(100, { sink, warn: () => {}, quiet: true, lineInterval: 0 });
    view.update(progressAt(1000, 50));
  }
  assertEquals(lines(), []);
});

Deno.test("LiveView.update() warns once when connections are refused, also when quiet", pure, async () => {
  const { lines, sink } = collect();
  const warnings: string[] = [];
  for (const quiet of [false, true]) {
    using view = await startLiveView(100, {
      sink,
      quiet,
      lineInterval: 0,
      now: () => 0,
      warn: (text) => warnings.push(text),
    });
    view.update(progressAt(0, 0));
    for (const count of [3, 70]) {
      view.update({
        ...progressAt(500, 0),
        refused: { count, why: "Cannot connect to 127.0.0.1:1: refused" },
      });
    }
  }
  const warning = "Could not connect 3 times so far: Cannot connect to 127.0.0.1:1: refused";
  assertEquals(warnings, [warning, warning]);
  assertEquals(
    lines().at(-1),
    "0/100 (0%) 70 failed to connect, 0 acked at 0/s, p50 - p99 -, 5 open, 1 resent, 5 started",
  );
});

Deno.test("LiveView.update() warns once of each generator that is silent or has ended", pure, async () => {
  const { sink } = collect();
  const warnings: string[] = [];
  using view = await startLiveView(100, {
    sink,
    lineInterval: 0,
    now: () => 0,
    warn: (text) => warnings.push(text),
  });
  for (const now of [["0 is silent"], ["0 is silent", "1 has ended"], [], ["0 is silent"]]) {
    view.update({ ...progressAt(500, 0), warnings: now });
  }
  assertEquals(warnings, ["0 is silent", "1 has ended"]);
});

Deno.test("LiveView.update() counts replies, and no resends, in a scenario", pure, async () => {
  const { lines, sink } = collect();
  using view = await startLiveView(100, {
    sink,
    warn: () => {},
    scenario: true,
    lineInterval: 0,
    now: () => 0,
  });
  view.update(progressAt(1000, 50, [1, 2, 3]));
  assertEquals(lines(), ["50/100 (50%) 50 answered at 50/s, p50 2ms p99 3ms, 5 open, 55 started"]);
});
