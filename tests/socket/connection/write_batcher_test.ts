import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { batcherOf } from "../../../socket/connection/write_batcher.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";

const permissions = "none";

Deno.test(
  "WriteBatcher.add() flushes everything of a turn together, in order, at its end",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const batcher = batcherOf(clock);
    const log: string[] = [];
    const flushable = (name: string) => ({ flushTurn: () => void log.push(name) });
    batcher.add(flushable("a"));
    batcher.add(flushable("b"));
    assertEquals(log, []);
    await clock.advance(0);
    assertEquals(log, ["a", "b"]);
    await clock.advance(0);
    assertEquals(log, ["a", "b"]);
  },
);

Deno.test("WriteBatcher.add() uses the clock once per turn", { permissions }, () => {
  const asked: (() => void)[] = [];
  const clock = Object.assign(new VirtualClock(), { soon: (run: () => void) => void asked.push(run) });
  const batcher = batcherOf(clock);
  let flushed = 0;
  const flushable = { flushTurn: () => void flushed++ };
  for (let i = 0; i < 3; i++) batcher.add(flushable);
  assertEquals(asked.length, 1);
  asked[0]!();
  assertEquals(flushed, 3);
  batcher.add(flushable);
  assertEquals(asked.length, 2);
});

Deno.test(
  "WriteBatcher.add() schedules the next turn when it is called during a flush",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const batcher = batcherOf(clock);
    let flushed = 0;
    const again = {
      flushTurn() {
        if (++flushed === 1) batcher.add(again);
      },
    };
    batcher.add(again);
    await clock.advance(0);
    assertEquals(flushed, 2);
  },
);

Deno.test("batcherOf() returns one batcher per clock", { permissions }, () => {
  const clock = new VirtualClock();
  assertStrictEquals(batcherOf(clock), batcherOf(clock));
  assertNotStrictEquals(batcherOf(clock), batcherOf(new VirtualClock()));
});

Deno.test("WriteBatcher.now() reads the clock once in a turn with output, and each time in others", {
  permissions,
}, () => {
  const flushes: (() => void)[] = [];
  let time = 0;
  const clock = Object.assign(new VirtualClock(), {
    now: () => ++time,
    soon: (run: () => void) => void flushes.push(run),
  });
  const batcher = batcherOf(clock);
  assertEquals([batcher.now(), batcher.now()], [1, 2]);
  batcher.add({ flushTurn() {} });
  assertEquals([batcher.now(), batcher.now()], [3, 3]);
  flushes[0]!();
  assertEquals([batcher.now(), batcher.now()], [4, 5]);
  batcher.add({ flushTurn() {} });
  assertEquals([batcher.now(), batcher.now()], [6, 6]);
});
