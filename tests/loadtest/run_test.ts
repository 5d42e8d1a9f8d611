import { assertEquals, assertStringIncludes } from "@std/assert";
import { LocalGenerator } from "../../loadtest/generate/generator.ts";
import type { RunEvent } from "../../loadtest/history/events.ts";
import { EXIT_CODES, judge } from "../../loadtest/judge/verdict.ts";
import { Ledger } from "../../loadtest/ledger/ledger.ts";
import { Plan } from "../../loadtest/plan/plan.ts";
import { runPlan } from "../../loadtest/run_plan.ts";
import { parseReplyDelay } from "../../loadtest/plan/reply_delay.ts";
import { CLIENTS, kinds, simulate } from "../_util/loadtest/simulated_run.ts";
import { LatencyHistogram } from "../../loadtest/metrics/latency.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

const permissions = "none";

Deno.test("runPlan() proves a correct relay", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const result = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
  });
  assertEquals(result.judgement.findings, []);
  assertEquals(result.judgement.verdict, "proven");
  assertEquals(result.judgement.counts.acked, CLIENTS);
  assertEquals(server.stats().closed.natural, CLIENTS);
  await world.clock.runUntil(server.close());
  assertEquals(world.network.stats().sockets, 0);
  assertEquals(world.clock.timers, 0);
});

Deno.test("runPlan() reports as its last progress what all clients did", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const last: number[][] = [];
  await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    onProgress: ({ started, acknowledged, finished, open }) =>
      last.push([started, acknowledged, finished, open]),
  });
  assertEquals(last.at(-1), [CLIENTS, CLIENTS, CLIENTS, 0]);
  await world.clock.runUntil(server.close());
});

Deno.test("runPlan() reports a latency with the first acknowledgment", { permissions }, async () => {
  const world = new Simulation({ latency: 1 });
  const server = world.relay();
  const reports: [acknowledged: number, recorded: number][] = [];
  await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    plan: { clients: 2, seed: 3 },
    onProgress: ({ acknowledged, latency }) => {
      const histogram = new LatencyHistogram();
      histogram.mergeEncoded(latency);
      reports.push([acknowledged, histogram.count]);
    },
  });
  const first = reports.findIndex(([acknowledged]) => acknowledged > 0);
  assertEquals(reports[first - 1], [0, 0], "the report before it");
  assertEquals(reports[first]![1] > 0, true);
  await world.clock.runUntil(server.close());
});

Deno.test("runPlan() finds a leaked timer or socket", { permissions }, async () => {
  for (const left of ["timers", "descriptors", "queuedBytes", "connections"] as const) {
    const world = new Simulation();
    const server = world.relay();
    const finalState = () => ({ ...server.stats(), descriptors: 0, [left]: 1 });
    const run = await simulate(world, { targets: server.addresses, finalState, plan: { clients: 10 } });
    assertEquals([run.judgement.verdict, ...kinds(run)], ["failed", "leftover"], left);
    await world.clock.runUntil(server.close());
  }
});

Deno.test("runPlan() judges what it has when it is interrupted", { permissions }, async () => {
  const world = new Simulation();
  const server = world.relay();
  const plan = new Plan({
    seed: 1,
    clients: 100,
    window: 1000,
    arrival: "constant",
    replyDelay: parseReplyDelay("0"),
    payload: { type: "short" },
  });
  const run: RunEvent = {
    event: "run",
    schema: 1,
    seed: 1,
    clients: 100,
    protocol: "relay",
    server: "own",
    faults: false,
  };
  const generator = new LocalGenerator({ run, plan, targets: server.addresses, ...world.seam });
  const controller = new AbortController();
  world.clock.after(500, () => controller.abort());
  const finalState = () => Promise.resolve({ ...server.stats(), descriptors: 0 });
  const test = runPlan({
    plan,
    generator,
    clock: world.clock,
    server: { finalState },
    signal: controller.signal,
  });
  const { judgement, durationMs } = await world.clock.runUntil(test);
  assertEquals([judgement.verdict, durationMs, judgement.counts.acked], ["interrupted", 500, 50]);
  await world.clock.runUntil(server.close());
});

Deno.test("runPlan() fails, and names the server, when it dies", { permissions }, async () => {
  const world = new Simulation();
  const server = world.relay();
  const died = new Promise<string>((resolve) => world.clock.after(1000, () => resolve("signal SIGKILL")));
  const run = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    died,
  });
  assertEquals([run.judgement.verdict, run.durationMs], ["failed", 1000]);
  assertStringIncludes(run.judgement.findings[0]!.text, "server ended before the run did: signal SIGKILL");
  await world.clock.runUntil(server.close());
});

Deno.test("runPlan() finds a server that had to be killed at its end", { permissions }, async () => {
  for (const hung of [undefined, "did not end within 15s"]) {
    const world = new Simulation();
    const server = world.relay();
    const run = await simulate(world, {
      targets: server.addresses,
      finalState: () => ({ ...server.stats(), descriptors: 0 }),
      plan: { clients: 10 },
      end: () => server.close().then(() => hung),
    });
    const { verdict, findings } = run.judgement;
    assertEquals([verdict, EXIT_CODES[verdict]], hung === undefined ? ["proven", 0] : ["failed", 1]);
    const text = "The server did not end within 15s after the run, and was killed";
    assertEquals(findings, hung === undefined ? [] : [{ kind: "hung", text }]);
    // The history has it, so that a verification gives the same verdict.
    const ledger = new Ledger(run.history.find((event) => event.event === "run")!);
    for (const event of run.history.slice(1)) ledger.record(event);
    assertEquals(judge(ledger).findings, findings);
  }
});

Deno.test(
  "runPlan() leaves the end of the server to the user when it is interrupted",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = world.relay();
    const controller = new AbortController();
    world.clock.after(500, () => controller.abort());
    const run = await simulate(world, {
      targets: server.addresses,
      finalState: () => ({ ...server.stats(), descriptors: 0 }),
      signal: controller.signal,
      end: () => Promise.resolve("did not end within 15s"),
    });
    assertEquals([run.judgement.verdict, run.judgement.count("hung")], ["interrupted", 0]);
    await world.clock.runUntil(server.close());
  },
);

Deno.test(
  "runPlan() does not wait for the end of the server when the user interrupts that",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = world.relay();
    const controller = new AbortController();
    const never = Promise.withResolvers<string | undefined>();
    const run = await simulate(world, {
      targets: server.addresses,
      finalState: () => ({ ...server.stats(), descriptors: 0 }),
      plan: { clients: 10 },
      signal: controller.signal,
      end: () => {
        world.clock.after(500, () => controller.abort());
        return never.promise;
      },
    });
    // The results were complete before.
    assertEquals([run.judgement.verdict, run.judgement.findings], ["proven", []]);
    await world.clock.runUntil(server.close());
  },
);
