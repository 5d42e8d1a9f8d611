import { assert, assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Arrival, ARRIVALS, arrivalTimes, parseArrival } from "../../../loadtest/plan/arrival.ts";
import { estimatePeak } from "../../../loadtest/plan/peak_estimate.ts";
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

Deno.test("arrivalTimes() ascends from 0, and all but poisson stay in the window", pure, () => {
  const arrivals = fc.constantFrom<Arrival>(...ARRIVALS);
  const sizes = fc.integer({ min: 1, max: 300 });
  fc.assert(fc.property(arrivals, sizes, fc.nat(100_000), fc.nat(), (arrival, clients, window, seed) => {
    const times = arrivalTimes(arrival, { clients, window, random: randomStream(seed, "arrival") });
    assertEquals(times.length, clients);
    assert(times.every((at, i) => at >= (times[i - 1] ?? 0)));
    if (arrival !== "poisson") assert(times.every((at) => at <= window));
  }));
});

Deno.test("arrivalTimes() has the shape that its name says", pure, () => {
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

Deno.test("parseArrival() names what it accepts", pure, () => {
  assertEquals(parseArrival("ramp"), "ramp");
  assertThrows(() => parseArrival("wave"), TypeError, 'uniform, constant, poisson, burst, ramp: got "wave"');
});

Deno.test("Plan is the same in every process, and its slices share it out", pure, () => {
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

Deno.test("Plan.answering() holds a message as long as the plan says, whoever answers it", pure, () => {
  const plan = new Plan({ ...OPTIONS, replyDelay: { type: "uniform", min: 0, max: 1000 } });
  for (const message of [0, 17, 999]) {
    const { text } = plan.client(message);
    assertEquals(plan.replyDelayOf(1).draw(text), plan.replyDelay(message));
    assertEquals(plan.replyDelayOf(2).draw(text), plan.replyDelay(message));
  }
});

Deno.test(
  "Plan.answering() draws for a foreign message from the client's own stream, and never over the longest",
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

Deno.test("Plan derives its timeouts from the longest delay", pure, () => {
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

Deno.test("Plan counts the clients that are open at once, and what they need", pure, () => {
  // All come at one instant and stay for the delay.
  const crowd = new Plan({
    ...OPTIONS,
    clients: 60_000,
    window: 0,
    replyDelay: { type: "fixed", delay: 1000 },
  });
  assertEquals(crowd.peakOpen, 60_000);
  assertEquals(crowd.processes, Math.ceil(1.5 * 60_000 / 19_000));
  assertEquals(crowd.loopbackAddresses, 3);
  // Little's law: 100 a second, each for a little longer than the second that it waits for its own answer.
  const steady = new Plan({ ...OPTIONS, arrival: "constant", replyDelay: { type: "fixed", delay: 1000 } });
  assertGreater(steady.peakOpen, 100);
  assert(steady.peakOpen < 400, `${steady.peakOpen}`);
  assertEquals([steady.processes, steady.loopbackAddresses], [1, 1]);
  crowd.assertEnoughPorts("service", 3);
  assertThrows(
    () => crowd.assertEnoughPorts("10.0.0.1:80"),
    RangeError,
    "Target 10.0.0.1:80 would need 60000 ports",
  );
});

Deno.test("peakOpenClients() keeps a client open that goes on being given messages", pure, () => {
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

Deno.test("peakOpenClients() counts those that left as gone", pure, () => {
  const peak = estimatePeak({
    startAt: Float64Array.of(0, 0, 0, 500, 501),
    replyDelay: Float64Array.of(10, 1000, 200, 0, 0),
    linger: 0,
    stay: 0,
    random: () => 0.999, // each its own receiver
  });
  assertEquals(peak, 3);
});

Deno.test("Plan refuses what is impossible", pure, () => {
  const cases: readonly (readonly [Partial<PlanOptions>, string])[] = [
    [{ clients: 0 }, "Clients must be a whole number of at least 1: got 0"],
    [{ clients: 1.5 }, "got 1.5"],
    [{ seed: -1 }, "Seed"],
    [{ window: NaN }, "Window"],
    [{ timeout: -1 }, "Timeout"],
    [
      { timeout: 1000, replyDelay: { type: "fixed", delay: 1000 } },
      "Timeout must be above the longest reply delay, 1s",
    ],
    [{ deadline: 5000 }, "Deadline must be after the last start"],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => new Plan({ ...OPTIONS, ...options }), RangeError, message);
  }
  const plan = new Plan(OPTIONS);
  assertThrows(() => plan.client(1000), RangeError, "one of 0 to 999: got 1000");
  assertThrows(() => [...plan.slice(2, 2)], RangeError, "got 2");
});
