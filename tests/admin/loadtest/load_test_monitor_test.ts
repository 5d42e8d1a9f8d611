import { assertEquals } from "@std/assert";
import { LoadTestMonitor } from "../../../admin/mod.ts";
import { LatencyHistogram } from "../../../loadtest/metrics/latency.ts";
import { VirtualClock } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("LoadTestMonitor.target shows progress, stops once, and keeps the verdict", pure, async () => {
  const clock = new VirtualClock();
  let stops = 0;
  using monitor = new LoadTestMonitor({ version: "1.2.3", clients: 10, stop: () => stops++, clock });
  const { target } = monitor;
  const state = () => {
    const { phase, verdict, acknowledged, latency } = JSON.parse(JSON.stringify(target.state()));
    return [phase, verdict, acknowledged, latency === null ? null : Math.round(latency.p50)];
  };
  assertEquals(state(), ["starting", null, 0, null]);
  const latency = new LatencyHistogram();
  latency.record(5);
  const progress = {
    started: 3,
    acknowledged: 1,
    open: 2,
    resent: 0,
    finished: 1,
    latency: latency.encode(),
  };
  monitor.update({ ...progress, clients: 10, elapsed: 1000, left: 9000 });
  assertEquals(state(), ["running", null, 1, 5]);

  const stop = () => target.actions.stop!(new URLSearchParams());
  assertEquals(await stop(), { status: 202, body: { stopping: true } });
  assertEquals(await stop(), { status: 409, body: { error: "Cannot stop: the load test is stopping" } });
  assertEquals(stops, 1);

  const samples: object[] = [];
  using _ = target.live.subscribe((sample) => samples.push(sample));
  monitor.judging();
  assertEquals(state()[0], "judging");
  monitor.judged("failed", ["1 message was lost"]);
  assertEquals(state(), ["done", "failed", 1, 5]);
  assertEquals(samples.length, 1);
});
