import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { ServerState } from "../../loadtest/history/events.ts";
import { assertProven, NotProvenError, runLoadTest } from "../../loadtest/mod.ts";
import { startRelay } from "../../relay/mod.ts";
import type { PlanOptions } from "../../loadtest/plan/plan.ts";
import { pure } from "../_util/permissions.ts";
import { type Run, simulate } from "../_util/loadtest/simulated_run.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 4000 };
const PLAN = { clients: 30, timeout: 30_000 };

function run(
  world: Simulation,
  options: { giveUpAfter?: number; plan?: Partial<PlanOptions> },
): Promise<Run> {
  const state = (): ServerState => {
    const { connections, pending, queuedBytes } = { connections: 0, pending: 0, queuedBytes: 0 };
    return { connections, pending, timers: 0, queuedBytes, descriptors: 0, closed: {} };
  };
  return simulate(world, { targets: [ADDRESS], finalState: state, plan: PLAN, ...options });
}

Deno.test(
  "runPlan() ends early, with one finding and its reason, when no client ever connects",
  pure,
  async () => {
    const { judgement, durationMs } = await run(new Simulation(), { giveUpAfter: 1500 });
    assertEquals(judgement.verdict, "failed");
    assert(durationMs >= 1500 && durationMs < 3000, `${durationMs}`);
    const [found, reason, ...rest] = judgement.findings;
    assertEquals([found?.kind, reason?.kind, rest], ["unreachable", "reason", []]);
    assertMatch(
      found?.text ?? "",
      /^No client could connect, so the run ended after \S+: Cannot connect to 127\.0\.0\.1:4000: /,
    );
  },
);

Deno.test("runPlan() tries again until the deadline without giveUpAfter", pure, async () => {
  const { durationMs, judgement } = await run(new Simulation(), {});
  assertEquals(durationMs, 62_000);
  assert(judgement.count("under-way") === 30 && judgement.count("unreachable") === 0);
});

Deno.test(
  "runPlan() goes on when the server comes before giveUpAfter, or leaves after a connection",
  pure,
  async () => {
    const world = new Simulation();
    const start = (): ReturnType<typeof startRelay> => startRelay({ ...world.seam, port: ADDRESS.port });
    world.clock.after(1000, () => {
      const first = start();
      // Long enough away to give up, had there been no connection before.
      world.clock.after(500, () => void first.close());
      world.clock.after(6000, start);
    });
    const { judgement } = await run(world, { giveUpAfter: 1500 });
    assertEquals([judgement.counts.acked, judgement.count("unreachable")], [30, 0]);
  },
);

Deno.test("runPlan() ends as unreachable when all clients gave up before giveUpAfter", pure, async () => {
  const world = new Simulation();
  const plan = { ...PLAN, timeout: 200, window: 100, replyDelay: { type: "none" } } as const;
  const { judgement } = await run(world, { giveUpAfter: 60_000, plan });
  assertEquals(judgement.count("unreachable"), 1);
  assertEquals((await run(world, { plan })).judgement.count("unreachable"), 0);
});

Deno.test("runLoadTest() ends early when nothing listens at its target", pure, async () => {
  const world = new Simulation();
  const test = runLoadTest({ protocol: "relay", target: ADDRESS, clients: 5, ...world.seam });
  const run = await world.clock.runUntil(test);
  const { verdict, text } = run;
  assertEquals(verdict, "failed");
  assertMatch(text, /^No client could connect, so the run ended after 2/);
  const error = assertThrows(() => assertProven(run), NotProvenError);
  assertEquals(error.message, `Load test failed: ${text}`); // Once, and its reason as well.
});
