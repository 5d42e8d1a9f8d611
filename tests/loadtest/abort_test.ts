import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type LoadTestRun,
  type ProtocolTestOptions,
  runLoadTest,
  scenario,
  type ScenarioTestOptions,
} from "../../loadtest/mod.ts";
import { HistoryVerifier } from "../../loadtest/history/verify.ts";
import { findAbort, histogramsFor, type LiveFacts } from "../../loadtest/metrics/abort_threshold.ts";
import { LiveHistograms } from "../../loadtest/metrics/live_histograms.ts";
import { noTrouble, troubleOf } from "../../loadtest/judge/trouble.ts";
import { parseThreshold } from "../../loadtest/metrics/threshold.ts";
import { lineCodec, listen } from "../../socket/mod.ts";
import { clientEvents, ledgerOf, runEvent } from "../_util/loadtest/run_events.ts";
import { pure } from "../_util/permissions.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

Deno.test("parseThreshold() reads when a threshold stops the run", pure, () => {
  const abortOf = (text: string) => parseThreshold(text).abortAfter;
  assertEquals(abortOf("p99<500ms"), undefined);
  assertEquals(abortOf("p99<500ms@abort"), 0);
  assertEquals(abortOf("metric.queue.max < 10 @abort:1m"), 60_000);
  assertEquals(parseThreshold("p99<500ms @abort:10s").bound, 500);
  for (
    const [text, message] of [
      ["fairness>0.9@abort", "fairness is only known after the run"],
      ["held.p99<1s@abort", "held.p99 is only known after the run"],
      ["p99<500ms@abort:soon", "expected a duration, as in @abort:10s"],
      ["p99<500ms@stop", "expected a duration as the bound"],
    ] as const
  ) assertThrows(() => parseThreshold(text), TypeError, message);
});

Deno.test("findAbort() finds a threshold that does not hold, once its time has come", pure, () => {
  const live = new LiveHistograms(
    histogramsFor([parseThreshold("p99<50ms@abort:10s"), parseThreshold("p50<1ms")]),
  );
  for (const event of clientEvents(0, { at: 100 })) live.record(event);
  const facts: LiveFacts = {
    clients: 10,
    elapsed: 0,
    resent: 2,
    trouble: noTrouble(),
    histograms: live.encode(),
  };
  const found = (text: string, elapsed = 20_000) => findAbort([parseThreshold(text)], { ...facts, elapsed });
  assertEquals(found("p99<50ms@abort:10s"), undefined);
  assertEquals(found("p99<10ms@abort:10s", 9_999), undefined);
  assertEquals(found("p99<10ms@abort:10s", 10_000)?.metric, "p99");
  assertEquals(found("p99<10ms"), undefined); // It is checked after the run.
  assertEquals(found("connect.max<1ms@abort"), undefined); // Nothing asked for this histogram.
  assertEquals([found("resent<10%@abort")?.bound, found("resent<30%@abort")], [10, undefined]);
});

Deno.test("findAbort() counts what is wrong so far", pure, () => {
  const ledger = ledgerOf([
    runEvent(2),
    ...clientEvents(0, { at: 0 }),
    { event: "ack", client: 0, at: 25, message: 1 },
    { event: "refused", client: 1, at: 30, error: "refused" },
  ]);
  const facts = { clients: 2, elapsed: 1, resent: 0, trouble: troubleOf(ledger), histograms: {} };
  const found = (text: string) => findAbort([parseThreshold(text)], facts)?.metric;
  assertEquals(found("unexpected==0@abort"), "unexpected");
  assertEquals(found("refused==0@abort"), "refused");
  assertEquals(found("lost==0@abort"), undefined);
});

/** Runs in memory, and judges the history again. */
async function simulated(
  world: Simulation,
  options: ProtocolTestOptions | ScenarioTestOptions<string, undefined>,
): Promise<LoadTestRun> {
  const verifier = new HistoryVerifier();
  const run = await world.clock.runUntil(
    runLoadTest({ ...options, ...world.seam, onHistoryLine: (line) => verifier.push(line) }),
  );
  const { verdict, discrepancies, judgement } = verifier.end();
  assertEquals([verdict, discrepancies, judgement.findings], [run.verdict, [], run.findings]);
  return run;
}

Deno.test("runLoadTest() stops a relay run whose threshold does not hold", pure, async () => {
  const world = new Simulation({ latency: 100 });
  const relay = world.relay();
  const expectState = () => Promise.resolve({ connections: relay.stats().connections });
  const common = {
    protocol: "relay",
    target: relay.addresses,
    clients: 100,
    window: "60s",
    expectState,
  } as const;
  const run = await simulated(world, { ...common, thresholds: ["p99<1s", "p50<200ms@abort:10s"] });
  assertEquals([run.verdict, run.findings], ["threshold", []]);
  assertEquals(run.summary.thresholds.map(({ holds, aborted }) => [holds, aborted]), [[true, false], [
    false,
    true,
  ]]);
  const { durationMs, started, acked } = run.summary;
  assertEquals(durationMs >= 10_000 && durationMs < 11_000 && started < 30 && acked > 10, true);
  assertStringIncludes(run.text, "Stopped early, because p50<200ms@abort:10s does not hold: ");
  const held = await simulated(world, { ...common, thresholds: ["p50<2s@abort:10s"] });
  assertEquals([held.verdict, held.summary.acked], ["proven", 100]);
  await world.clock.runUntil(relay.close());
});

Deno.test("runLoadTest() stops a scenario by a step, a custom metric, or a wrong reply", pure, async () => {
  const tested = scenario({
    codec: lineCodec(),
    async message(t) {
      t.metric("queue").record(t.client);
      await t.ask("slow", { expect: "slow" });
      await t.ask("quick", { expect: "quick" });
    },
  });
  for (
    const [threshold, answer, verdict] of [
      ["step.slow.p50<100ms@abort:2s", "slow", "threshold"],
      ["metric.queue.max<4@abort:2s", "slow", "threshold"],
      ["wrong==0@abort:2s", "what", "failed"],
      ["step.quick.p99<100ms@abort:2s", "slow", "delivered"],
    ] as const
  ) {
    const world = new Simulation();
    const server = listen(world.seam);
    server.serve(async (peer) => {
      for await (const line of peer) {
        if (line === "quick") peer.send(line);
        else world.clock.after(500, () => peer.send(answer));
      }
    });
    const run = await simulated(world, {
      scenario: tested,
      target: server.addresses,
      clients: 5,
      messages: 20,
      thresholds: [threshold],
    });
    await world.clock.runUntil(server.close());
    assertEquals(run.verdict, verdict, threshold);
    assertEquals(run.summary.durationMs < 3000, verdict !== "delivered", threshold);
    assertEquals(run.summary.thresholds[0]!.aborted, verdict !== "delivered", threshold);
  }
});
