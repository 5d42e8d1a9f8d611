import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../testing/virtual_clock.ts";

const permissions = "none";

Deno.test(
  "VirtualClock.advance() runs due timers in order of time, then of creation",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const rang: string[] = [];
    const note = (name: string) => () => rang.push(`${name} at ${clock.now()}`);
    clock.after(20, note("late"));
    clock.after(10, note("first"));
    clock.after(10, note("second"));
    clock.after(21, note("never"));
    await clock.advance(20);
    assertEquals(rang, ["first at 10", "second at 10", "late at 20"]);
    assertEquals(clock.now(), 20);
    assertEquals(clock.timers, 1);
  },
);

Deno.test(
  "VirtualClock.advance() runs timers created on the way, and ends at its target",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const rang: number[] = [];
    const again = () => {
      rang.push(clock.now());
      clock.after(3, again);
    };
    clock.after(3, again);
    await clock.advance(10);
    assertEquals(rang, [3, 6, 9]);
    assertEquals(clock.now(), 10);
  },
);

Deno.test("VirtualClock.advance() settles everything that one timer causes before the next", {
  permissions,
}, async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  clock.after(5, async () => {
    for (let depth = 0; depth < 1000; depth++) await null;
    log.push("promises of the first");
    clock.soon(() => log.push("end of the turn"));
  });
  clock.after(5, () => log.push("second"));
  await clock.advance(5);
  assertEquals(log, ["promises of the first", "end of the turn", "second"]);
});

Deno.test(
  "VirtualClock.soon() runs at the end of the turn, without time passing",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    clock.soon(() => log.push("soon"));
    Promise.resolve().then(() => log.push("promise"));
    await clock.advance(0);
    assertEquals(log, ["promise", "soon"]);
    assertEquals(clock.now(), 0);
  },
);

Deno.test("VirtualClock.after() returns a cancel function that does nothing after the timer has fired", {
  permissions,
}, async () => {
  const clock = new VirtualClock();
  let rang = 0;
  const canceled = clock.after(1, () => rang++);
  const kept = clock.after(2, () => rang++);
  canceled.cancel();
  canceled.cancel();
  assertEquals(clock.timers, 1);
  await clock.advance(5);
  kept.cancel();
  assertEquals(rang, 1);
  assertEquals(clock.timers, 0);
});

Deno.test("VirtualClock.after() fires immediately for 0 or less, and throws for NaN", {
  permissions,
}, async () => {
  const clock = new VirtualClock();
  const rang: number[] = [];
  clock.after(-5, () => rang.push(clock.now()));
  await clock.advance(0);
  assertEquals(rang, [0]);
  assertThrows(() => clock.after(NaN, () => {}), RangeError, "NaN");
});

Deno.test(
  "VirtualClock.runUntil() resolves with the promise's value, and moves no further",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    clock.after(8, () => {});
    const answer = new Promise<string>((resolve) => clock.after(7, () => resolve("seven")));
    assertEquals(await clock.runUntil(answer), "seven");
    assertEquals(clock.now(), 7);
    assertEquals(clock.timers, 1);
  },
);

Deno.test("VirtualClock.runUntil() rejects with the promise's error", { permissions }, async () => {
  const clock = new VirtualClock();
  const reason = new TypeError("no");
  const failing = new Promise<never>((_, reject) => clock.after(7, () => reject(reason)));
  assertStrictEquals(await assertRejects(() => clock.runUntil(failing)), reason);
});

Deno.test("VirtualClock.runUntil() stops when the predicate holds", { permissions }, async () => {
  const clock = new VirtualClock();
  let count = 0;
  for (let i = 1; i <= 5; i++) clock.after(i, () => count++);
  await clock.runUntil(() => count === 3);
  assertEquals([clock.now(), count], [3, 3]);
});

Deno.test("VirtualClock.runUntil() rejects when no timer can reach the goal", { permissions }, async () => {
  const clock = new VirtualClock();
  clock.after(3, () => {});
  const never = new Promise<void>(() => {});
  await assertRejects(
    () => clock.runUntil(never),
    Error,
    "Goal not reached at 3 ms: no timer is left",
  );
  clock.after(500, () => {});
  await assertRejects(() => clock.runUntil(never, { within: 100 }), Error, "over 100 ms away");
});

Deno.test(
  "VirtualClock.advance() rejects with the error of a timer, and can be called again",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    clock.after(3, () => {
      throw new RangeError("broken");
    });
    await assertRejects(() => clock.advance(5), RangeError, "broken");
    await clock.advance(5);
    assertEquals(clock.now(), 8);
  },
);

Deno.test("VirtualClock.advance() rejects a second call in parallel", { permissions }, async () => {
  const clock = new VirtualClock();
  const moving = clock.advance(5);
  await assertRejects(() => clock.advance(5), TypeError, "already moving");
  await moving;
  assertEquals(clock.now(), 5);
});
