import { assert, assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Arrival, ARRIVALS, arrivalTimes, parseArrival } from "../loadtest/arrival.ts";
import { createPayload, formatPayload, parsePayload, type PayloadSpec } from "../loadtest/payload.ts";
import { Plan, type PlanOptions } from "../loadtest/plan.ts";
import { randomStream } from "../loadtest/random.ts";
import {
  type DelayDistribution,
  drawReplyDelay,
  formatReplyDelay,
  longestReplyDelay,
  meanReplyDelay,
  parseReplyDelay,
} from "../loadtest/reply_delay.ts";
import { escapeText } from "../protocol.ts";

const pure = { permissions: "none" } as const;

const OPTIONS: PlanOptions = {
  seed: 1,
  clients: 1000,
  window: 10_000,
  arrival: "uniform",
  replyDelay: { type: "none" },
  payload: { type: "short" },
};

const DISTRIBUTIONS: readonly DelayDistribution[] = [
  { type: "none" },
  { type: "fixed", delay: 1000 },
  { type: "uniform", min: 500, max: 5000 },
  { type: "exponential", mean: 1000 },
  { type: "pareto", min: 100, alpha: 1.5, cap: 2000 },
  { type: "pareto", min: 100, alpha: 1, cap: 5000 },
];

Deno.test("parseReplyDelay() reads every form, and formatReplyDelay() writes it", pure, () => {
  const cases: readonly (readonly [string, DelayDistribution, string?])[] = [
    ["0", { type: "none" }],
    ["fixed:1s", { type: "fixed", delay: 1000 }],
    ["uniform:0s-5s", { type: "uniform", min: 0, max: 5000 }],
    ["exponential:250ms", { type: "exponential", mean: 250 }],
    ["pareto:100ms", { type: "pareto", min: 100, alpha: 1.5, cap: 2000 }, "pareto:100ms,1.5,2s"],
    ["pareto:100ms,2", { type: "pareto", min: 100, alpha: 2, cap: 2000 }, "pareto:100ms,2,2s"],
    ["pareto:100ms,1.2,1m", { type: "pareto", min: 100, alpha: 1.2, cap: 60_000 }],
  ];
  for (const [spec, delay, written = spec] of cases) {
    assertEquals(parseReplyDelay(spec), delay);
    assertEquals(formatReplyDelay(delay), written);
    assertEquals(parseReplyDelay(written), delay);
  }
});

Deno.test("parseReplyDelay() names what it cannot read and what it accepts", pure, () => {
  for (
    const spec of ["", "1s", "fixed", "fixed:", "normal:1s", "uniform:1s", "uniform:1s-2s-3s", "fixed:soon"]
  ) {
    const error = assertThrows(() => parseReplyDelay(spec), TypeError, "exponential:1s");
    assert(error.message.includes(`"${spec}"`));
  }
  for (const spec of ["uniform:5s-1s", "pareto:0s", "pareto:1s,0", "pareto:1s,x", "pareto:1s,1,500ms"]) {
    assertThrows(() => parseReplyDelay(spec), RangeError, `"${spec}"`);
  }
});

Deno.test("drawReplyDelay() has the mean it should, and no draw is over the longest", pure, () => {
  for (const delay of DISTRIBUTIONS) {
    const random = randomStream(3, "reply-delay");
    const draws = Array.from({ length: 200_000 }, () => drawReplyDelay(delay, random));
    const mean = draws.reduce((sum, drawn) => sum + drawn, 0) / draws.length;
    assertAlmostEquals(mean, meanReplyDelay(delay), 0.01 * meanReplyDelay(delay), formatReplyDelay(delay));
    assert(draws.every((drawn) => drawn >= 0 && drawn <= longestReplyDelay(delay)), formatReplyDelay(delay));
  }
});

Deno.test("longestReplyDelay() is what the largest draw gives", pure, () => {
  for (const delay of DISTRIBUTIONS) {
    const largest = drawReplyDelay(delay, () => 1 - 2 ** -32);
    assertAlmostEquals(largest, longestReplyDelay(delay), 1e-5, formatReplyDelay(delay));
  }
});

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

Deno.test("parsePayload() and formatPayload() agree", pure, () => {
  const specs: readonly PayloadSpec[] = [
    { type: "short" },
    { type: "mixed" },
    { type: "size", bytes: 1024 },
    { type: "file", path: "a:b" },
  ];
  for (const spec of specs) assertEquals(parsePayload(formatPayload(spec)), spec);
  assertEquals(parsePayload("size:1KiB"), { type: "size", bytes: 1024 });
  for (const spec of ["", "long", "file:", "size"]) {
    assertThrows(() => parsePayload(spec), TypeError, `"${spec}"`);
  }
});

Deno.test("createPayload() gives every message a text of its own and finds it again", pure, () => {
  const lines = ["a line", "a line", "", "one with #3 in it", "#7"];
  const specs: readonly PayloadSpec[] = [
    { type: "short" },
    { type: "mixed" },
    { type: "size", bytes: 16 },
    { type: "file", path: "lines.txt" },
  ];
  for (const spec of specs) {
    const clients = 3000;
    const payload = createPayload(spec, { seed: 5, clients, lines });
    const texts = Array.from({ length: clients }, (_, index) => payload.text(index));
    assertEquals(new Set(texts).size, clients);
    texts.forEach((text, index) => assertEquals(payload.find(text), index));
    assertEquals(payload.find(payload.text(1) + " "), undefined);
    assertEquals(payload.find(`hello #${clients}`), undefined);
    assertEquals(payload.find("hello"), undefined);
  }
});

Deno.test("createPayload() finds nothing in texts that are not of the plan", pure, () => {
  const payload = createPayload({ type: "short" }, { seed: 1, clients: 50 });
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const index = payload.find(text);
    if (index !== undefined) assertEquals(payload.text(index), text);
  }));
  for (const text of ["", "#", "hello #01", "hello #1 ", "hello #1.0", "hello #00000000001"]) {
    assertEquals(payload.find(text), undefined);
  }
});

Deno.test(
  "createPayload() of mixed has every awkward string, the empty one once, within the line limit",
  pure,
  () => {
    const payload = createPayload({ type: "mixed" }, { seed: 2, clients: 5000 });
    const texts = Array.from({ length: 5000 }, (_, index) => payload.text(index));
    assertEquals(texts.filter((text) => text === "").length, 1);
    const wanted: Readonly<Record<string, (text: string) => boolean>> = {
      newline: (text) => text.includes("\n"),
      "ends in CR": (text) => text.endsWith("\r"),
      "ends in backslash": (text) => text.endsWith("\\"),
      "lone high surrogate at the end": (text) => /[\ud800-\udbff]$/.test(text) && !text.isWellFormed(),
      "lone low surrogate first": (text) => /^[\udc00-\udfff]/.test(text),
      emoji: (text) => text.includes("👩‍🚀"),
      NUL: (text) => text.includes("\0"),
      BOM: (text) => text.startsWith("\ufeff"),
      "word of the protocol": (text) => text.startsWith("ok "),
      "60 KiB": (text) => text.length >= 60 * 1024,
    };
    for (const [name, holds] of Object.entries(wanted)) assertGreater(texts.filter(holds).length, 0, name);
    const longest = Math.max(
      ...texts.map((text) => new TextEncoder().encode(`message ${escapeText(text)}`).length),
    );
    assert(longest <= 64 * 1024);
  },
);

Deno.test("createPayload() of a size is exactly that many bytes, and refuses one too small", pure, () => {
  const payload = createPayload({ type: "size", bytes: 1024 }, { seed: 1, clients: 1000 });
  assertEquals(new TextEncoder().encode(payload.text(999)).length, 1024);
  const small: PayloadSpec = { type: "size", bytes: 3 };
  assertEquals(createPayload(small, { seed: 1, clients: 100 }).text(99), "#99");
  assertThrows(() => createPayload(small, { seed: 1, clients: 101 }), RangeError, "at least 4 bytes");
});

Deno.test("createPayload() of a file without lines is refused", pure, () => {
  assertThrows(
    () => createPayload({ type: "file", path: "empty.txt" }, { seed: 1, clients: 1, lines: [] }),
    RangeError,
    "empty.txt has none",
  );
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
    assertEquals(plan.answering(1).draw(text), plan.replyDelay(message));
    assertEquals(plan.answering(2).draw(text), plan.replyDelay(message));
  }
});

Deno.test(
  "Plan.answering() draws for a foreign message from the client's own stream, and never over the longest",
  pure,
  () => {
    const plan = new Plan({ ...OPTIONS, clients: 10, replyDelay: { type: "exponential", mean: 1000 } });
    const draws = (client: number) => {
      const answering = plan.answering(client);
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
