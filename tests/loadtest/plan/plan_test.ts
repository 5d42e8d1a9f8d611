import { assert, assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Arrival,
  ARRIVALS,
  arrivalTimes,
  mostWithin,
  parseArrival,
} from "../../../loadtest/plan/arrival.ts";
import { estimatePeak } from "../../../loadtest/plan/peak_estimate.ts";
import { assertAffordable } from "../../../loadtest/plan/affordable.ts";
import { OptionError } from "../../../loadtest/plan/check_option.ts";
import { MAX_DURATION } from "../../../internal/duration.ts";
import { Plan, type PlanOptions } from "../../../loadtest/plan/plan.ts";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";
import { pure } from "../../_util/permissions.ts";

const OPTIONS: PlanOptions = {
  seed: 1,
  clients: 1000,
  window: 10_000,
  arrival: "uniform",
  replyDelay: { type: "none" },
  payload: { type: "short" },
};

Deno.test("arrivalTimes() ascends from 0, within the window except for poisson", pure, () => {
  const arrivals = fc.constantFrom<Arrival>(...ARRIVALS);
  const sizes = fc.integer({ min: 1, max: 300 });
  fc.assert(fc.property(arrivals, sizes, fc.nat(100_000), fc.nat(), (arrival, clients, window, seed) => {
    const times = arrivalTimes(arrival, { clients, window, random: randomStream(seed, "arrival") });
    assertEquals(times.length, clients);
    assert(times.every((at, i) => at >= (times[i - 1] ?? 0)));
    if (arrival !== "poisson") assert(times.every((at) => at <= window));
  }));
});

Deno.test("arrivalTimes() follows the shape of each arrival", pure, () => {
  const times = (arrival: Arrival) =>
    arrivalTimes(arrival, { clients: 10_000, window: 1000, random: randomStream(1, "arrival") });
  const before = (arrival: Arrival, at: number) => times(arrival).filter((time) => time < at).length;
  assertAlmostEquals(before("uniform", 500), 5000, 200);
  assertAlmostEquals(before("poisson", 500), 5000, 200);
  assertAlmostEquals(before("ramp", 500), 2500, 1);
  assertEquals(before("constant", 500), 5000);
  assertEquals([...new Set(times("burst"))], [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  assertEquals(before("burst", 500), 5000);
  // A gap longer than three times the mean: never at a constant rate, e^-3 of all at random.
  const uniform = times("uniform");
  const long = uniform.filter((at, i) => at - (uniform[i - 1] ?? 0) > 0.3).length;
  assertAlmostEquals(long, 10_000 * Math.exp(-3), 70);
});

Deno.test("parseArrival() names what is accepted when it throws", pure, () => {
  assertEquals(parseArrival("ramp"), "ramp");
  assertThrows(
    () => parseArrival("wave"),
    TypeError,
    'Cannot use arrival "wave": expected uniform, constant, poisson, burst, ramp',
  );
});

Deno.test("Plan is the same in every process, and its slices cover it", pure, () => {
  const options: PlanOptions = {
    ...OPTIONS,
    replyDelay: { type: "exponential", mean: 100 },
    payload: { type: "mixed" },
  };
  const [one, other] = [new Plan(options), new Plan(structuredClone(options))];
  fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), (parts) => {
    const slices = Array.from({ length: parts }, (_, part) => [...one.slice(part, parts)]);
    assertEquals(slices.flat().sort((a, b) => a - b), Array.from({ length: 1000 }, (_, index) => index));
    for (const index of slices.at(-1) ?? []) {
      assertEquals(one.client(index), other.client(index));
      assertEquals(one.replyDelay(index), other.replyDelay(index));
    }
  }));
});

Deno.test("Plan differs by seed", pure, () => {
  const startAt = (seed: number) => new Plan({ ...OPTIONS, seed }).startAt(0);
  assertEquals(new Set([1, 2, 3, 4].map(startAt)).size, 4);
});

Deno.test("Plan.replyDelayOf() returns the planned delay of a message at any client", pure, () => {
  const plan = new Plan({ ...OPTIONS, replyDelay: { type: "uniform", min: 0, max: 1000 } });
  for (const message of [0, 17, 999]) {
    const { text } = plan.client(message);
    assertEquals(plan.replyDelayOf(1).draw(text), plan.replyDelay(message));
    assertEquals(plan.replyDelayOf(2).draw(text), plan.replyDelay(message));
  }
});

Deno.test(
  "Plan.replyDelayOf() draws the delay of a foreign message, up to the longest",
  pure,
  () => {
    const plan = new Plan({ ...OPTIONS, clients: 10, replyDelay: { type: "exponential", mean: 1000 } });
    const draws = (client: number) => {
      const answering = plan.replyDelayOf(client);
      return Array.from({ length: 200 }, () => answering.draw("from elsewhere"));
    };
    assertEquals(draws(1), draws(1));
    assert(draws(1)[0] !== draws(2)[0]);
    assert(draws(1).every((delay) => delay <= plan.longestReplyDelay));
  },
);

Deno.test("Plan derives timeouts from the longest delay", pure, () => {
  const quick = new Plan(OPTIONS);
  assertEquals([quick.timeout, quick.ackTimeout, quick.linger, quick.deadline], [30_000, 10_000, 0, 70_000]);
  const slow = new Plan({ ...OPTIONS, replyDelay: { type: "fixed", delay: 20_000 } });
  assertEquals([slow.timeout, slow.ackTimeout, slow.linger, slow.deadline], [
    50_000,
    40_000,
    20_000,
    110_000,
  ]);
  const asked = new Plan({ ...OPTIONS, timeout: 5000, linger: 100, deadline: 15_000 });
  assertEquals([asked.timeout, asked.linger, asked.deadline], [5000, 100, 15_000]);
});

Deno.test("mostWithin() counts the times of the fullest span, without its end", pure, () => {
  assertEquals(mostWithin(new Float64Array(), 10), 0);
  assertEquals(mostWithin(new Float64Array([0, 10, 20]), 10), 1);
  assertEquals(mostWithin(new Float64Array([0, 10, 12, 19, 20, 30]), 10), 3);
  assertEquals(mostWithin(new Float64Array([5, 5, 5]), 1), 3);
});

Deno.test("Plan estimates open clients, and the processes and ports that they need", pure, () => {
  // All come at one instant and stay for the delay.
  const crowd = new Plan({
    ...OPTIONS,
    clients: 60_000,
    window: 0,
    replyDelay: { type: "fixed", delay: 1000 },
  });
  assertEquals(crowd.peakOpen, 60_000);
  assertEquals(crowd.processes, Math.ceil(1.5 * 60_000 / 19_000));
  // A port is in use for a second longer than its connection: those that close may all have started a second before.
  assertEquals(crowd.loopbackAddresses, Math.ceil((60_000 + 60_000) / 14_000));
  const quick = new Plan({ ...OPTIONS, clients: 40_000, window: 2000, arrival: "constant" });
  assert(quick.peakOpen < 8000, `${quick.peakOpen}`);
  assertEquals(quick.loopbackAddresses, 2);
  // 14,000 ports of one address are given out quickly: here, those of the clients that are open, and of those that closed.
  const together = (clients: number): number =>
    new Plan({ ...OPTIONS, clients, window: 0 }).loopbackAddresses;
  assertEquals([together(7000), together(7001)], [1, 2]);
  // Little's law: 100 a second, each for a little longer than the second that it waits for its own answer.
  const steady = new Plan({ ...OPTIONS, arrival: "constant", replyDelay: { type: "fixed", delay: 1000 } });
  assertGreater(steady.peakOpen, 100);
  assert(steady.peakOpen < 400, `${steady.peakOpen}`);
  assertEquals([steady.processes, steady.loopbackAddresses], [1, 1]);
  crowd.assertEnoughPorts("service", 3);
  assertThrows(
    () => crowd.assertEnoughPorts("10.0.0.1:80"),
    RangeError,
    "Cannot use clients 60000: they need 60000 ports at the same time at 10.0.0.1:80, of 25000",
  );
});

Deno.test("estimatePeak() keeps a client open while it receives messages", pure, () => {
  // The oldest client gets each message: the second one's, which is held for a second.
  const options = {
    startAt: Float64Array.of(0, 50, 500),
    replyDelay: Float64Array.of(0, 1000, 0),
    linger: 1000,
    stay: 30_000,
    random: () => 0,
  };
  assertEquals(estimatePeak(options), 3);
  // It does not take on what it would have to hold for longer than it lingers, and leaves when its time is over.
  assertEquals(estimatePeak({ ...options, linger: 0 }), 2);
  assertEquals(estimatePeak({ ...options, stay: 200 }), 2);
});

Deno.test("estimatePeak() removes clients that have closed", pure, () => {
  const peak = estimatePeak({
    startAt: Float64Array.of(0, 0, 0, 500, 501),
    replyDelay: Float64Array.of(10, 1000, 200, 0, 0),
    linger: 0,
    stay: 0,
    random: () => 0.999, // each its own receiver
  });
  assertEquals(peak, 3);
});

Deno.test("Plan throws when options are out of range or contradict each other", pure, () => {
  const cases: readonly (readonly [Partial<PlanOptions>, string])[] = [
    [{ clients: 0 }, "Cannot use clients 0: expected an integer from 1"],
    [{ clients: 1.5 }, "Cannot use clients 1.5"],
    [{ seed: -1 }, "Cannot use seed -1"],
    [{ window: NaN }, "Cannot use window NaN: expected 0 to 3153600000000 ms (36500 days)"],
    [{ window: Infinity }, "Cannot use window Infinity"],
    [{ timeout: -1 }, "Cannot use timeout -1"],
    [{ timeout: NaN }, "Cannot use timeout NaN"],
    [{ timeout: 4e12 }, "Cannot use timeout 4000000000000"],
    [{ linger: Infinity }, "Cannot use linger Infinity"],
    [{ deadline: NaN }, "Cannot use deadline NaN"],
    [{ replyDelay: { type: "fixed", delay: NaN } }, "Cannot use reply delay"],
    [{ replyDelay: { type: "exponential", mean: Infinity } }, "Cannot use reply delay"],
    [{ replyDelay: { type: "uniform", min: NaN, max: 1 } }, "Cannot use reply delay"],
    [{ replyDelay: { type: "pareto", min: 1, alpha: NaN, cap: 2 } }, "Cannot use reply delay"],
    [
      { timeout: 1000, replyDelay: { type: "fixed", delay: 1000 } },
      "Cannot use timeout 1s: expected more than the longest reply delay, 1s",
    ],
    [{ deadline: 5000 }, "expected more than the last start"],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => new Plan({ ...OPTIONS, ...options }), RangeError, message);
  }
  const plan = new Plan(OPTIONS);
  assertThrows(
    () => plan.client(1000),
    RangeError,
    "Cannot find client 1000: expected an integer from 0 to 999",
  );
  assertThrows(() => [...plan.slice(2, 2)], RangeError, "slice 2");
});

Deno.test("Plan bounds derived timeouts when the reply delay is long", pure, () => {
  const days = (count: number): number => count * 86_400_000;
  const plan = new Plan({ ...OPTIONS, clients: 10, replyDelay: { type: "fixed", delay: days(20_000) } });
  assertEquals(
    [plan.timeout, plan.ackTimeout, plan.deadline],
    [MAX_DURATION, MAX_DURATION, MAX_DURATION],
  );
  const long = new Plan({ ...OPTIONS, clients: 10, timeout: days(20_000) });
  assertEquals(long.deadline, MAX_DURATION);
});

Deno.test(
  "assertAffordable() throws before anything is allocated when memory or ports are short",
  pure,
  () => {
    const load = { clients: 2 ** 31 - 1, window: 10_000, replyDelay: { type: "none" } } as const;
    const available = { memory: 4e9, target: "10.0.0.1:80", addresses: 1 };
    assertThrows(() => assertAffordable(load, available), OptionError, "they need about");
    const crowd = { clients: 60_000, window: 0, replyDelay: { type: "fixed", delay: 1000 } } as const;
    assertThrows(
      () => assertAffordable(crowd, available),
      OptionError,
      "Cannot use clients 60000: they need 60000 ports at the same time at 10.0.0.1:80, of 25000",
    );
    assertAffordable({ ...crowd, window: 10_000 }, available);
    assertAffordable({ ...crowd, clients: 1_000_000, window: 1_000_000 }, available);
  },
);
