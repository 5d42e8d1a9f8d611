import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { assertProven, type LoadTestRun, type ProtocolTestOptions, runLoadTest } from "../../loadtest/mod.ts";
import { HistoryVerifier } from "../../loadtest/history/verify.ts";
import { renderJunit, renderReport } from "../../loadtest/report/mod.ts";
import { startRelay } from "../../relay/mod.ts";
import { startEcho, startHello } from "../../services/mod.ts";
import { listen } from "../../socket/mod.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

const permissions = "none";

Deno.test("runLoadTest() proves a relay of a test", async () => {
  await using relay = startRelay({ port: 0 });
  const run = await runLoadTest({
    protocol: "relay",
    target: relay.addresses,
    clients: 50,
    expectState: () => Promise.resolve({ pending: relay.stats().pending }),
  });
  assertProven(run);
  assertEquals(run.verdict, "proven");
});

/** Runs clients of a protocol in memory, and judges their history again. */
async function simulated(
  world: Simulation,
  options: ProtocolTestOptions,
): Promise<LoadTestRun & { readonly history: readonly string[] }> {
  const history: string[] = [];
  const run = await world.clock.runUntil(
    runLoadTest({ clients: 40, ...options, ...world.seam, onHistoryLine: (line) => history.push(line) }),
  );
  const verifier = new HistoryVerifier();
  for (const line of history) verifier.push(line);
  const { verdict, discrepancies } = verifier.end();
  assertEquals([verdict, discrepancies], [run.verdict, []]);
  return { ...run, history };
}

async function relayRun(options: Partial<ProtocolTestOptions> = {}): ReturnType<typeof simulated> {
  const world = new Simulation({ latency: 1 });
  const relay = world.relay();
  const expectState = () => Promise.resolve({ connections: relay.stats().connections });
  const run = await simulated(world, { protocol: "relay", target: relay.addresses, expectState, ...options });
  await world.clock.runUntil(relay.close());
  return run;
}

Deno.test("runLoadTest() replays a protocol run from its seed", { permissions }, async () => {
  const [one, other] = [await relayRun(), await relayRun()];
  assertEquals(one.history, other.history);
  assertEquals((await relayRun({ seed: 2 })).history === one.history, false);
});

Deno.test("runLoadTest() holds messages for replyDelay, and sends the payload", { permissions }, async () => {
  const { summary, verdict } = await relayRun({ replyDelay: "fixed:2s", payload: "mixed" });
  assertEquals([verdict, summary.plan?.payload], ["proven", "mixed"]);
  assertEquals([summary.held.p50! >= 2000, summary.latency.p50! >= 2000], [true, true]);
});

Deno.test("runLoadTest() excuses the faults that it injects", { permissions }, async () => {
  const { verdict, summary } = await relayRun({ faults: "drop-ok=20%", timeout: "1s", deadline: "30s" });
  assertEquals([verdict, summary.recovered > 0], ["proven", true]);
});

Deno.test("runLoadTest() delivers to echo and hello servers", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  for (
    const [protocol, server] of [["echo", startEcho(world.seam)], ["hello", startHello(world.seam)]] as const
  ) {
    const run = await simulated(world, { protocol, target: server.addresses });
    assertEquals([run.verdict, run.summary.acked], ["delivered", 40]);
    await world.clock.runUntil(server.close());
  }
});

Deno.test(
  "runLoadTest() finds an echo that is lost or leaves something behind",
  { permissions },
  async () => {
    const world = new Simulation({ latency: 1 });
    let lines = 0;
    const server = listen(world.seam);
    server.serve(async (peer) => {
      for await (const line of peer) if (++lines !== 20) peer.send(line);
    });
    const run = await simulated(world, {
      protocol: "echo",
      target: server.addresses,
      timeout: "1s",
      expectState: () => Promise.resolve({ "open jobs": 1 }),
    });
    await world.clock.runUntil(server.close());
    assertEquals(run.verdict, "failed");
    assertStringIncludes(run.findings[0]!.text, "left with 1 open jobs");
    assertThrows(() => assertProven(run), Error, "Load test failed");
  },
);

Deno.test("runLoadTest() rejects a reply delay, payload, or fault that it cannot parse", async () => {
  const options = { protocol: "relay", target: "127.0.0.1:1" } as const;
  await assertRejects(() => runLoadTest({ ...options, replyDelay: "soon" }), TypeError, "soon");
  await assertRejects(() => runLoadTest({ ...options, payload: "heavy" }), TypeError, "heavy");
  await assertRejects(() => runLoadTest({ ...options, faults: "flood" }), TypeError, "flood");
});

Deno.test("renderReport() and renderJunit() show a run of runLoadTest()", async () => {
  const run = await relayRun();
  const page = renderReport(run);
  assertStringIncludes(page, "<h1>Proven</h1>");
  assertEquals(page.includes("Run it again"), false);
  assertStringIncludes(renderJunit(run), 'tests="8" failures="0"');
  assertThrows(() => renderReport({ ...run, summary: { ...run.summary } }), TypeError, "runLoadTest()");
});
