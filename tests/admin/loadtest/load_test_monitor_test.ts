import { assertEquals } from "@std/assert";
import { LoadTestMonitor, type LoadTestSample } from "../../../admin/mod.ts";
import { LatencyHistogram } from "../../../loadtest/metrics/latency.ts";
import { RunControl } from "../../../loadtest/pace/run_control.ts";
import type { RunProgress } from "../../../loadtest/run_plan.ts";
import { VirtualClock } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

/** A monitor of a run whose clients start over 100 s, ten per second. */
function startMonitor() {
  const clock = new VirtualClock();
  const control = new RunControl();
  const stops: number[] = [];
  const monitor = new LoadTestMonitor({
    version: "1.2.3",
    clients: 1000,
    control,
    stop: () => stops.push(clock.now()),
    clock,
  });
  const begin = () =>
    control.begin({
      stages: [
        { label: "Clients start", begin: 0, duration: 100_000, from: 10, to: 10 },
        { label: "Last replies", begin: 100_000, duration: null },
      ],
      now: () => clock.now(),
      apply: () => {},
    });
  const post = async (path: string) => {
    const [name = "", query] = path.split("?");
    const { status = 200, body } = await monitor.target.actions[name]!(new URLSearchParams(query));
    return [status, body];
  };
  const state = () => JSON.parse(JSON.stringify(monitor.target.state())) as LoadTestSample;
  return { clock, control, monitor, begin, post, state, stops };
}

const NO_PROGRESS: RunProgress = {
  clients: 1000,
  started: 0,
  refused: { count: 0, why: "" },
  acknowledged: 0,
  open: 0,
  resent: 0,
  finished: 0,
  elapsed: 0,
  left: 0,
  lag: 0,
  latency: new LatencyHistogram().encode(),
  soFar: { verdict: null, findings: [] },
  warnings: [],
  pace: undefined,
};

Deno.test("LoadTestMonitor.target shows progress, stops once, and keeps the verdict", pure, async () => {
  const { monitor, post, state, stops } = startMonitor();
  using _monitor = monitor;
  const shown = () => {
    const { phase, verdict, acknowledged, latency } = state();
    return [phase, verdict, acknowledged, latency === null ? null : Math.round(latency.p50)];
  };
  assertEquals(shown(), ["starting", null, 0, null]);
  const latency = new LatencyHistogram();
  latency.record(5);
  const progress = { started: 3, acknowledged: 1, open: 2, finished: 1, latency: latency.encode() };
  monitor.update({ ...NO_PROGRESS, ...progress, elapsed: 1000, left: 9000 });
  assertEquals(shown(), ["running", null, 1, 5]);

  assertEquals(await post("stop"), [202, { stopping: true }]);
  assertEquals(await post("stop"), [409, { error: "Cannot stop: the load test is stopping" }]);
  assertEquals(stops, [0]);

  const samples: object[] = [];
  using _ = monitor.target.live.subscribe((sample) => samples.push(sample));
  monitor.judging();
  assertEquals(shown()[0], "judging");
  monitor.judged("failed", ["1 message was lost"]);
  assertEquals(shown(), ["done", "failed", 1, 5]);
  assertEquals(state().findings, ["1 message was lost"]);
  assertEquals(samples.length, 1);
});

Deno.test(
  "LoadTestMonitor.target pauses, resumes, and changes the rate when it is asked to",
  pure,
  async () => {
    const { clock, control, monitor, begin, post, state } = startMonitor();
    using _monitor = monitor;
    assertEquals(await post("pause"), [409, { error: "Cannot pause: the load test has not started" }]);
    begin();
    await clock.advance(1000);
    const pace = { paused: false, speed: 1, rate: 10, stage: 0 };
    assertEquals(await post("resume"), [409, { error: "Cannot resume: the load test is not paused" }]);
    assertEquals(await post("pause"), [200, { ...pace, paused: true, rate: 0, stageElapsed: 1000 }]);
    assertEquals(await post("pause"), [409, { error: "Cannot pause: the load test is paused" }]);
    await clock.advance(5000);
    assertEquals(state().stageElapsed, 1000);
    assertEquals(await post("rate?speed=2"), [200, {
      ...pace,
      paused: true,
      rate: 0,
      speed: 2,
      stageElapsed: 1000,
    }]);
    assertEquals(await post("resume"), [200, { ...pace, rate: 20, speed: 2, stageElapsed: 1000 }]);
    await clock.advance(1000);
    assertEquals(await post("rate?per_second=5/s"), [200, {
      ...pace,
      rate: 5,
      speed: 0.5,
      stageElapsed: 3000,
    }]);
    control.end();
    assertEquals(await post("pause"), [409, { error: "Cannot pause: the load test has ended" }]);
  },
);

Deno.test("LoadTestMonitor.target names what is accepted when a rate cannot be used", pure, async () => {
  const { clock, monitor, begin, post, state } = startMonitor();
  using _monitor = monitor;
  begin();
  const expected = "expected speed, such as speed=0.5, or per_second, such as per_second=500";
  for (
    const [query, error] of [
      ["", `Cannot change the rate: ${expected}`],
      ["?speed=1&per_second=2", `Cannot change the rate: ${expected}`],
      ["?fast=1", `Cannot use parameter "fast": ${expected}`],
      ["?speed=0", "Cannot use speed 0: expected a number from 0.01 to 100"],
      ["?speed=1e3", 'Cannot use speed "1e3": expected a number such as 0.5'],
      ["?speed=02", 'Cannot use speed "02": expected a number such as 0.5'],
      ["?speed=2&speed=2", `Cannot change the rate: ${expected}`],
      ["?per_second=9999", "Cannot use speed 999.9: expected a number from 0.01 to 100"],
      ["?per_second=x", 'Expected a rate such as 500/s or 30000/m, got "x"'],
    ]
  ) assertEquals(await post(`rate${query}`), [400, { error }]);
  assertEquals(state().speed, 1);
  await clock.advance(100_000);
  assertEquals(await post("rate?speed=2"), [409, {
    error: "Cannot change the rate: everything has started",
  }]);
});

Deno.test(
  "LoadTestMonitor.target.live has findings as they come, and keeps only the last ones",
  pure,
  async () => {
    const { clock, monitor, begin } = startMonitor();
    using _monitor = monitor;
    begin();
    const finding = { kind: "unexpected", text: "Client 1 got an ok" } as const;
    monitor.update({ ...NO_PROGRESS, soFar: { verdict: "failed", findings: [finding] } });
    await clock.advance(2000);
    const samples = monitor.target.live.history as readonly LoadTestSample[];
    assertEquals(samples.map(({ findings, stages }) => [findings, stages.length]), [[[], 0], [
      ["Client 1 got an ok"],
      2,
    ]]);
    assertEquals(samples.at(-1)!.verdictSoFar, "failed");
  },
);

Deno.test("LoadTestMonitor.target has metrics of the pace and of what is wrong", pure, async () => {
  const { monitor, begin, post } = startMonitor();
  using _monitor = monitor;
  begin();
  const finding = { kind: "overloaded", text: "Late" } as const;
  monitor.update({ ...NO_PROGRESS, lag: 250, soFar: { verdict: "invalid", findings: [finding] } });
  await post("pause");
  const text = await monitor.target.metrics();
  for (const line of ["paused 1", "speed 1", "lag_seconds 0.25", "findings 1", "clients 1000"]) {
    assertEquals(text.includes(`\nokline_loadtest_${line}\n`), true, line);
  }
});
