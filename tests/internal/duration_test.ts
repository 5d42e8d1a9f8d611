import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatDuration, MAX_DURATION, parseDuration } from "../../internal/duration.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseDuration() reads every unit, and a bare number as seconds", pure, () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["250ms", 250],
    ["0.5ms", 0.5],
    ["5s", 5000],
    ["5", 5000],
    ["1.5", 1500],
    ["1.001s", 1001],
    ["1m", 60_000],
    ["1.5h", 5_400_000],
    ["30d", 2_592_000_000],
    ["007s", 7000],
    [`${MAX_DURATION}ms`, MAX_DURATION],
  ];
  for (const [text, ms] of cases) assertEquals(parseDuration(text), ms, text);
});

Deno.test("parseDuration() throws for any other text, and shows it", pure, () => {
  const bad = [
    "",
    " ",
    "5 s",
    "s",
    "-1s",
    "+1s",
    "1e3",
    ".5s",
    "5.s",
    "1m30s",
    "5S",
    "5w",
    "5s\n",
    "NaN",
    "Infinity",
    "٥s",
  ];
  for (const text of bad) assertThrows(() => parseDuration(text), RangeError, "Expected a duration", text);
  assertThrows(() => parseDuration("5x\x1b"), RangeError, 'got "5x\\x1b"');
});

Deno.test("parseDuration() rejects more than a hundred years", pure, () => {
  assertThrows(() => parseDuration(`${MAX_DURATION + 1}ms`), RangeError, "at most 36500d");
  assertThrows(() => parseDuration("876001h"), RangeError, "at most 36500d");
});

Deno.test("formatDuration() writes the largest unit that stays short", pure, () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [0.5, "0.5ms"],
    [250, "250ms"],
    [999, "999ms"],
    [1000, "1s"],
    [1500, "1.5s"],
    [60_000, "1m"],
    [90_000, "1.5m"],
    [61_000, "61s"],
    [61_001, "61.001s"],
    [3_600_000, "1h"],
  ];
  for (const [ms, text] of cases) assertEquals(formatDuration(ms), text);
});

Deno.test("formatDuration() throws for a value that is not a duration", pure, () => {
  for (const ms of [-1, NaN, Infinity, MAX_DURATION + 1]) {
    assertThrows(() => formatDuration(ms), RangeError, "Cannot format a duration");
  }
});

Deno.test("parseDuration() reverses formatDuration()", pure, () => {
  const nanoseconds = fc.integer({ min: 0, max: 1e12 }).map((ns) => ns / 1e6);
  const ms = fc.integer({ min: 0, max: MAX_DURATION });
  fc.assert(fc.property(fc.oneof(ms, nanoseconds), (value) => {
    assertEquals(parseDuration(formatDuration(value)), value);
  }));
});
