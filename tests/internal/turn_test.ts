import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { atEndOfTurn, leftToRuntime, runTurn } from "../../internal/turn.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("runTurn() runs scheduled calls in order, after the input", pure, () => {
  const done: string[] = [];
  const left = leftToRuntime();
  runTurn((input) => {
    assertEquals(atEndOfTurn(() => done.push("first")), true);
    atEndOfTurn(() => done.push("second"));
    done.push(input);
  }, "input");
  assertEquals(done, ["input", "first", "second"]);
  assertEquals(leftToRuntime(), left);
});

Deno.test("atEndOfTurn() leaves calls to the runtime outside a turn, and at its end", pure, () => {
  const left = leftToRuntime();
  assertEquals(atEndOfTurn(() => {}), false);
  const during: boolean[] = [];
  runTurn(() => {
    atEndOfTurn(() => during.push(atEndOfTurn(() => {})));
  }, undefined);
  assertEquals(during, [false]);
  assertEquals(leftToRuntime(), left + 2);
});

Deno.test("runTurn() runs scheduled calls when the input throws, and then throws that", pure, () => {
  const done: string[] = [];
  const thrown = assertThrows(() =>
    runTurn(() => {
      atEndOfTurn(() => done.push("output"));
      throw new TypeError("input");
    }, undefined)
  );
  assertEquals([String(thrown), ...done], ["TypeError: input", "output"]);
  assertEquals(atEndOfTurn(() => {}), false);
});

Deno.test("runTurn() reports what a scheduled call throws, and runs the others", pure, () => {
  const reported: unknown[] = [];
  const report = (event: ErrorEvent): void => {
    event.preventDefault();
    reported.push(event.error);
  };
  const error = new TypeError("output");
  const done: string[] = [];
  addEventListener("error", report);
  try {
    runTurn(() => {
      atEndOfTurn(() => {
        throw error;
      });
      atEndOfTurn(() => done.push("other"));
    }, undefined);
  } finally {
    removeEventListener("error", report);
  }
  assertStrictEquals(reported[0], error);
  assertEquals([reported.length, ...done], [1, "other"]);
});

Deno.test("runTurn() runs the calls of a turn that begins at the end of another", pure, () => {
  const done: string[] = [];
  const push = (text: string) => () => void done.push(text);
  runTurn(() => {
    atEndOfTurn(() => {
      runTurn(() => [push("inner 1"), push("inner 2")].forEach(atEndOfTurn), undefined);
    });
    atEndOfTurn(push("outer 2"));
    atEndOfTurn(push("outer 3"));
  }, undefined);
  runTurn(() => void atEndOfTurn(push("next")), undefined);
  assertEquals(done, ["inner 1", "inner 2", "outer 2", "outer 3", "next"]);
});
