import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  countStarts,
  drawInstants,
  formatStages,
  type LoadShape,
  parseRate,
  parseStages,
} from "../../../loadtest/scenario/load_shape.ts";
import { scenarioPlan } from "../../../loadtest/scenario/scenario_plan.ts";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";

const permissions = "none";

Deno.test({
  name: "parseRate() reads rates per second, minute, or hour",
  permissions,
  fn: () => {
    assertEquals(["500/s", "500", "30000/m", "7200/h", "0.5/s"].map(parseRate), [500, 500, 500, 2, 0.5]);
    for (const text of ["", "0/s", "-1/s", "5/d", "fast"]) {
      assertThrows(() => parseRate(text), RangeError, "Expected a rate");
    }
  },
});

Deno.test({
  name: "parseStages() reads constant and changing rates",
  permissions,
  fn: () => {
    const stages = parseStages("30s:0->500/s, 5m:500/s,1s : 600 → 1200/m");
    assertEquals(stages, [
      { duration: 30_000, from: 0, to: 500 },
      { duration: 300_000, from: 500, to: 500 },
      { duration: 1000, from: 10, to: 20 },
    ]);
    assertEquals(parseStages(formatStages(stages)), stages);
    assertEquals(countStarts(stages), 7500 + 150_000 + 15);
    for (const text of ["", "5s", "5s:", "5s:1→2→3/s", "x:5/s", "5s:0/s", "5s:a→b"]) {
      assertThrows(() => parseStages(text), RangeError, "Expected");
    }
  },
});

Deno.test({
  name: "drawInstants() follows the rate, and depends on the seed only",
  permissions,
  fn: () => {
    const stages = parseStages("10s:0→1000/s, 10s:1000/s, 10s:1000→0/s");
    const draw = (seed: number) => drawInstants(stages, { random: randomStream(seed, "message") });
    const instants = draw(1);
    assertEquals(instants, draw(1));
    assertEquals(instants.length, 20_000);
    assertEquals(instants, instants.toSorted());
    const within = (from: number, to: number) => instants.filter((at) => at >= from && at < to).length;
    // Four standard deviations of what a Poisson process would have.
    for (
      const [from, to, count] of [[0, 5000, 1250], [5000, 10_000, 3750], [10_000, 20_000, 10_000], [
        25_000,
        30_000,
        1250,
      ]] as const
    ) {
      assert(Math.abs(within(from, to) - count) < 4 * Math.sqrt(count), `${within(from, to)} of ${count}`);
    }
    assert(instants.at(-1)! <= 30_000);
  },
});

Deno.test("scenarioPlan() throws when a rate comes with a number of messages or a think time", {
  permissions,
}, () => {
  const stages = [{ duration: 1000, from: 5, to: 5 }];
  const plan = (load: LoadShape) =>
    scenarioPlan({ scenario: { message: () => Promise.resolve() }, load, seed: 1, clients: 1, window: 0 });
  assertThrows(
    () => plan({ stages, messages: 5 }),
    RangeError,
    "Cannot use a number of messages with a rate",
  );
  assertThrows(() => plan({ stages, think: 5 }), RangeError, "Cannot use a think time with a rate");
  assertEquals(plan({ stages }).clients, 1);
});
