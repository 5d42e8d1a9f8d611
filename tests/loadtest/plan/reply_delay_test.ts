import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { randomStream } from "../../../loadtest/plan/seeded_random.ts";
import {
  type DelayDistribution,
  drawReplyDelay,
  formatReplyDelay,
  longestReplyDelay,
  meanReplyDelay,
  parseReplyDelay,
} from "../../../loadtest/plan/reply_delay.ts";
import { pure } from "../../_util/permissions.ts";

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

Deno.test("parseReplyDelay() names the value and what is accepted when it throws", pure, () => {
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

Deno.test("parseReplyDelay() throws when a delay can exceed what a timer takes", pure, () => {
  for (const spec of ["exponential:2000d", "pareto:2000d", "pareto:1s,1.5,36501d", "fixed:36501d"]) {
    assertThrows(() => parseReplyDelay(spec), Error, `"${spec}"`);
  }
  const error = assertThrows(() => parseReplyDelay("exponential:2000d"), RangeError);
  assertEquals(
    error.message,
    'Cannot use reply delay "exponential:2000d": it can draw 44361 days, expected at most 36500',
  );
  assertEquals(parseReplyDelay("exponential:1600d"), { type: "exponential", mean: 1600 * 86_400_000 });
});

Deno.test("drawReplyDelay() has the expected mean, and never exceeds the longest", pure, () => {
  for (const delay of DISTRIBUTIONS) {
    const random = randomStream(3, "reply-delay");
    const draws = Array.from({ length: 200_000 }, () => drawReplyDelay(delay, random));
    const mean = draws.reduce((sum, drawn) => sum + drawn, 0) / draws.length;
    assertAlmostEquals(mean, meanReplyDelay(delay), 0.01 * meanReplyDelay(delay), formatReplyDelay(delay));
    assert(draws.every((drawn) => drawn >= 0 && drawn <= longestReplyDelay(delay)), formatReplyDelay(delay));
  }
});

Deno.test("longestReplyDelay() equals the largest draw", pure, () => {
  for (const delay of DISTRIBUTIONS) {
    const largest = drawReplyDelay(delay, () => 1 - 2 ** -32);
    assertAlmostEquals(largest, longestReplyDelay(delay), 1e-5, formatReplyDelay(delay));
  }
});
