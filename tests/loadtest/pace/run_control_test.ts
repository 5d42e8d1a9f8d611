import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { HistoryDigest } from "../../../loadtest/history/digest.ts";
import type { HistoryEvent } from "../../../loadtest/history/events.ts";
import { formatHistoryLine } from "../../../loadtest/history/line_format.ts";
import { HistoryVerifier } from "../../../loadtest/history/verify.ts";
import { measure, measureScheduleLag } from "../../../loadtest/metrics/measure.ts";
import { lineCodec, RunControl, scenario } from "../../../loadtest/mod.ts";
import { describePace, summarizePace } from "../../../loadtest/pace/pace_summary.ts";
import { pure } from "../../_util/permissions.ts";
import { answer, runInMemory } from "../../_util/loadtest/scenario_world.ts";
import { CLIENTS, type Run, simulate } from "../../_util/loadtest/simulated_run.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

/** A relay run of some clients within 2 s, in which `act` is called with the control. */
async function runRelay(
  act: (control: RunControl, world: Simulation) => void,
  clients = CLIENTS,
): Promise<Run> {
  const world = new Simulation();
  const server = world.relay();
  const control = new RunControl();
  act(control, world);
  const run = await simulate(world, {
    targets: server.addresses,
    finalState: () => ({ ...server.stats(), descriptors: 0 }),
    control,
    plan: { clients },
  });
  await world.clock.runUntil(server.close());
  return run;
}

/** Whether something starts between two instants. */
function starts({ history }: Run, from: number, to: number): number {
  return history.filter(({ event, ...rest }) => {
    const at = "at" in rest ? rest.at : NaN;
    return event === "start" && at > from && at <= to;
  }).length;
}

Deno.test("RunControl.pause() starts nothing until resume(), and the pause is not lag", pure, async () => {
  // Longer than the deadline of the plan, 12 s.
  const run = await runRelay((control, { clock }) => {
    clock.after(500, () => control.pause());
    clock.after(60_500, () => control.resume());
  });
  assertEquals([run.judgement.verdict, run.judgement.counts.acked], ["proven", CLIENTS]);
  assertEquals(starts(run, 500, 60_500), 0);
  assert(starts(run, 60_500, 70_000) > (2 / 3) * CLIENTS);
  assertEquals(measureScheduleLag(run.ledger).max, 0);
  // Without the shift, it would be a minute.
  assertLess(measure(run.ledger).fromPlanned.max!, 5000);
  const pace = summarizePace(run.ledger.facts.paces, run.durationMs)!;
  assertEquals([pace.pauses, pace.pausedMs], [1, 60_000]);
  assertEquals(describePace(pace), "paused once, for 1m");
});

Deno.test("HistoryVerifier sees the same instants as a run that was paused", pure, async () => {
  const run = await runRelay((control, { clock }) => {
    clock.after(700, () => control.pause());
    clock.after(3000, () => control.resume());
    clock.after(3100, () => control.setSpeed(0.5));
  });
  const digest = new HistoryDigest();
  const verifier = new HistoryVerifier();
  for (const line of run.history.map(formatHistoryLine)) {
    digest.add(line);
    verifier.push(line);
  }
  const event: HistoryEvent = { event: "verdict", verdict: "proven", crossed: [], ...digest.result() };
  verifier.push(formatHistoryLine(event));
  const { verdict, ledger, discrepancies } = verifier.end();
  assertEquals([verdict, discrepancies], ["proven", []]);
  assertEquals(measureScheduleLag(ledger).max, measureScheduleLag(run.ledger).max);
  assertEquals(ledger.facts.paces.length, 3);
});

Deno.test("RunControl.setSpeed() changes how many clients start per second", pure, async () => {
  const run = await runRelay((control, { clock }) => clock.after(1000, () => control.setSpeed(0.1)), 3000);
  const [before, after] = [starts(run, 0, 1000), starts(run, 1000, 2000)];
  assertLess(Math.abs(before - 1500), 100);
  assertLess(Math.abs(after - 150), 50);
  assertEquals([run.judgement.verdict, measureScheduleLag(run.ledger).max], ["proven", 0]);
  const pace = summarizePace(run.ledger.facts.paces, run.durationMs)!;
  assertEquals(describePace(pace), "speed changed once, last to 0.1 × planned");
});

Deno.test("RunControl.setRate() sets starts per second", pure, async () => {
  const run = await runRelay((control, { clock }) => clock.after(1000, () => control.setRate(3000)), 3000);
  assertLess(Math.abs(starts(run, 1000, 1400) - 1200), 100);
});

Deno.test("RunControl.state names the stage and the rate of the moment", pure, async () => {
  const states: unknown[] = [];
  await runRelay((control, { clock }) => {
    assertEquals(control.state, undefined);
    clock.after(500, () => states.push(control.state));
    clock.after(2500, () => states.push(control.state, control.stages.map(({ label }) => label)));
  });
  assertEquals(states, [
    { paused: false, speed: 1, rate: CLIENTS / 2, stage: 0, stageElapsed: 500 },
    { paused: false, speed: 1, rate: null, stage: 1, stageElapsed: 500 },
    [`${CLIENTS} clients start (uniform)`, "Last replies"],
  ]);
});

const ping = scenario({
  codec: lineCodec(),
  async message(t) {
    await t.ask("ping", { expect: "pong" });
  },
});

Deno.test(
  "RunControl.pause() holds the messages of an open model, without lag or latency",
  pure,
  async () => {
    const control = new RunControl();
    const asks: number[] = [];
    let scheduled = false;
    const run = await runInMemory({
      scenario: ping,
      clients: 2,
      window: 0,
      rate: "100/s",
      duration: "4s",
      maxLag: "10ms",
      control,
      serve: (peer, clock) => {
        if (!scheduled) {
          scheduled = true;
          clock.after(1000, () => control.pause());
          clock.after(31_000, () => control.resume());
        }
        return answer((line) => {
          asks.push(clock.now());
          return line === "ping" ? "pong" : undefined;
        })(peer);
      },
    });
    assertEquals([run.verdict, run.summary.acked], ["delivered", 400]);
    assertEquals(asks.filter((at) => at > 1010 && at < 31_000), []);
    assertLess(run.summary.latency.fromPlanned.max!, 50);
    assertEquals(run.summary.pace?.pausedMs, 30_000);
  },
);

Deno.test(
  "RunControl.pause() holds the next message of each connection in a closed model",
  pure,
  async () => {
    const control = new RunControl();
    const asks: number[] = [];
    const run = await runInMemory({
      scenario: ping,
      clients: 1,
      window: 0,
      duration: "3s",
      think: "100ms",
      control,
      serve: (peer, clock) => {
        clock.after(1000, () => control.pause());
        clock.after(21_000, () => control.resume());
        return answer((line) => {
          asks.push(clock.now());
          return line === "ping" ? "pong" : undefined;
        })(peer);
      },
    });
    assertEquals(run.verdict, "delivered");
    assertEquals(asks.filter((at) => at > 1010 && at < 21_000), []);
    // The duration is of the plan: the pause does not use it up.
    assert(asks.filter((at) => at >= 21_000).length > 15, `${asks.length}`);
    assertLess(run.summary.latency.fromPlanned.max!, 50);
  },
);

Deno.test("summarizePace() counts a pause that the run ended in", pure, () => {
  const pace = summarizePace([
    { event: "pace", at: 100, paused: true, speed: 1 },
    { event: "pace", at: 200, paused: true, speed: 2 },
    { event: "pace", at: 300, paused: false, speed: 2 },
    { event: "pace", at: 1000, paused: true, speed: 2 },
  ], 1500)!;
  assertEquals([pace.pauses, pace.pausedMs], [2, 700]);
  assertStringIncludes(
    describePace(pace),
    "paused 2 times, for 700ms; speed changed once, last to 2 × planned",
  );
  assertEquals(summarizePace([], 1500), undefined);
});
