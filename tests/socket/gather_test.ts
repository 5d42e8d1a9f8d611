import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { gathererOf } from "../../socket/gather.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";

const permissions = "none";

Deno.test(
  "WriteBatcher.add() flushes everything of a turn together, in order, at its end",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const gatherer = gathererOf(clock);
    const log: string[] = [];
    const flushable = (name: string) => ({ flushTurn: () => void log.push(name) });
    gatherer.add(flushable("a"));
    gatherer.add(flushable("b"));
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
  const gatherer = gathererOf(clock);
  let flushed = 0;
  const flushable = { flushTurn: () => void flushed++ };
  for (let i = 0; i < 3; i++) gatherer.add(flushable);
  assertEquals(asked.length, 1);
  asked[0]!();
  assertEquals(flushed, 3);
  gatherer.add(flushable);
  assertEquals(asked.length, 2);
});

Deno.test(
  "WriteBatcher.add() schedules the next turn when it is called during a flush",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const gatherer = gathererOf(clock);
    let flushed = 0;
    const again = {
      flushTurn() {
        if (++flushed === 1) gatherer.add(again);
      },
    };
    gatherer.add(again);
    await clock.advance(0);
    assertEquals(flushed, 2);
  },
);

Deno.test("gathererOf() returns one gatherer per clock", { permissions }, () => {
  const clock = new VirtualClock();
  assertStrictEquals(gathererOf(clock), gathererOf(clock));
  assertNotStrictEquals(gathererOf(clock), gathererOf(new VirtualClock()));
});
