import { assertEquals } from "@std/assert";
import { type FleetProgress, ProgressCounter } from "../../../loadtest/generate/fleet_progress.ts";
import { LatencyHistogram } from "../../../loadtest/metrics/latency.ts";

const test = (name: string, fn: () => void): void => Deno.test({ name, permissions: "none", fn });

/** The number of durations in the latency of a progress. */
function recorded({ latency }: FleetProgress): number {
  const histogram = new LatencyHistogram();
  histogram.mergeEncoded(latency);
  return histogram.count;
}

test("fleet progress: every ok of a client is recorded", () => {
  const progress = new ProgressCounter();
  for (let ok = 0; ok < 20_000; ok++) progress.acknowledge(1);
  const report = progress.report({ now: 0, lag: 0, over: true });
  assertEquals([report.acknowledged, recorded(report)], [20_000, 20_000]);
});

test("fleet progress: from 10,000 replies on, one in 16 is recorded, and all are counted", () => {
  const progress = new ProgressCounter();
  const report = () => progress.report({ now: 0, lag: 0, over: true });
  progress.acknowledgeSampled(1, 9_999);
  assertEquals(recorded(report()), 9_999);
  for (let reply = 0; reply < 16; reply++) progress.acknowledgeSampled(1, 1);
  assertEquals(recorded(report()), 10_000);
  progress.acknowledgeSampled(1, 32);
  assertEquals([report().acknowledged, recorded(report())], [10_047, 10_002]);
});

test("fleet progress: the latency is encoded at the first ok, once per second, and at the end", () => {
  const progress = new ProgressCounter();
  const reports = (now: number, over = false) => recorded(progress.report({ now, lag: 0, over }));
  assertEquals(reports(0), 0);
  progress.acknowledge(1);
  assertEquals(reports(1), 1);
  progress.acknowledge(1);
  assertEquals([reports(1000), reports(1001)], [1, 2]);
  progress.acknowledge(1);
  assertEquals([reports(1002), reports(1003, true)], [2, 3]);
});

test("fleet progress: reports the counters and the lag", () => {
  const progress = new ProgressCounter();
  progress.started = 5;
  progress.connected = 4;
  progress.open = 3;
  progress.resent = 2;
  progress.finished = 1;
  const { latency: _, ...report } = progress.report({ now: 0, lag: 7, over: false });
  const counters = { started: 5, connected: 4, acknowledged: 0, open: 3, resent: 2, finished: 1 };
  assertEquals(report, { ...counters, lag: 7 });
});
