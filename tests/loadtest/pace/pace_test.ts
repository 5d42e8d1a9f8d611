import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Pace } from "../../../loadtest/pace/pace.ts";
import { pure } from "../../_util/permissions.ts";

const PAUSED = { paused: true, speed: 1 };
const RUNNING = { paused: false, speed: 1 };

Deno.test("Pace.instantOf() returns the instant of the plan when the pace never changes", pure, () => {
  const pace = new Pace(1000);
  assertEquals([0, 500, 5000].map((at) => pace.instantOf(at)), [0, 500, 5000]);
  assertEquals(pace.planTime(700), 700);
});

Deno.test("Pace.instantOf() moves later instants by the length of each pause", pure, () => {
  const pace = new Pace(1000);
  pace.set(PAUSED, 100);
  assertEquals([99, 100, 101].map((at) => pace.instantOf(at)), [99, 100, Infinity]);
  pace.set(RUNNING, 400);
  pace.set(PAUSED, 500);
  pace.set(RUNNING, 550);
  assertEquals([100, 150, 200, 201, 2000].map((at) => pace.instantOf(at)), [100, 450, 500, 551, 2350]);
});

Deno.test("Pace.instantOf() changes the speed only until the schedule ends", pure, () => {
  const pace = new Pace(1000);
  pace.set({ paused: false, speed: 2 }, 500);
  assertEquals([1000, 1500].map((at) => pace.instantOf(at)), [750, 1250]);
  assertEquals([750, 1250].map((at) => pace.planTime(at)), [1000, 1500]);
  pace.set({ paused: false, speed: 0.1 }, 1000);
  assertEquals(pace.instantOf(1500), 1250);
});

Deno.test("Pace.timeUntil() leaves pauses out when the run is paused", pure, () => {
  const pace = new Pace(1000);
  pace.set(PAUSED, 200);
  assertEquals([pace.timeUntil(1500, 900), pace.timeUntil(100, 900)], [1300, 0]);
  pace.set(RUNNING, 900);
  assertEquals(pace.timeUntil(1500, 1000), 1200);
});

Deno.test("Pace.resumed resolves when a pause ends, and immediately without one", pure, async () => {
  const pace = new Pace(1000);
  await pace.resumed;
  pace.set(PAUSED, 1);
  let resumed = false;
  const waiting = pace.resumed.then(() => resumed = true);
  pace.set({ paused: true, speed: 2 }, 2);
  await Promise.resolve();
  assertEquals(resumed, false);
  pace.set({ paused: false, speed: 2 }, 3);
  await waiting;
});

Deno.test("Pace.instantOf() is the inverse of planTime() after any changes of the pace", pure, () => {
  const change = fc.record({
    after: fc.integer({ min: 1, max: 400 }),
    paused: fc.boolean(),
    speed: fc.constantFrom(0.1, 0.5, 1, 2, 10),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), (changes, later) => {
      const pace = new Pace(1000);
      let now = 0;
      for (const { after, ...setting } of changes) pace.set(setting, now += after);
      pace.set(RUNNING, now += 1);
      assertAlmostEquals(pace.instantOf(pace.planTime(now + later)), now + later, 1e-6);
    }),
  );
});
