import { assertEquals, assertThrows } from "@std/assert";
import { type Deadline, Deadlines } from "../../relay/client_deadlines.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { pure } from "../_util/permissions.ts";

/** A client that notes when it is late. */
class Client implements Deadline {
  due = 0;
  earlier: this | undefined;
  later: this | undefined;
  readonly #late: () => void;

  constructor(late: () => void) {
    this.#late = late;
  }

  late(): void {
    this.#late();
  }
}

Deno.test("Deadlines reports clients that were not removed, each at its time", pure, async () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock, 100);
  const late: [string, number][] = [];
  const clients = ["a", "b", "c", "d"].map((name) => new Client(() => late.push([name, clock.now()])));
  for (const client of clients) {
    deadlines.add(client);
    await clock.advance(10);
  }
  deadlines.remove(clients[0]!);
  deadlines.remove(clients[2]!);
  assertEquals(clock.timers, 1);
  await clock.advance(1000);
  assertEquals(late, [["b", 110], ["d", 130]]);
  assertEquals(clock.timers, 0);
});

Deno.test("Deadlines.remove() leaves no timer without clients", pure, () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock, 100);
  const client = new Client(() => {});
  for (let i = 0; i < 2; i++) {
    deadlines.add(client);
    assertEquals(clock.timers, 1);
    deadlines.remove(client);
    assertEquals(clock.timers, 0);
  }
});

Deno.test("Deadlines goes on when a late client throws, and takes one that is added again", pure, () => {
  let [now, run] = [0, () => {}];
  const alarms: number[] = [];
  const deadlines = new Deadlines({
    now: () => now,
    after: (ms, ring) => {
      alarms.push(ms);
      run = ring;
      return { cancel() {} };
    },
    soon: () => {},
  }, 100);
  const late: string[] = [];
  const again: Client = new Client(() => {
    late.push("again");
    deadlines.add(again);
  });
  deadlines.add(
    new Client(() => {
      throw new TypeError("broken");
    }),
  );
  deadlines.add(again);
  now = 100;
  assertThrows(() => run(), TypeError, "broken");
  run();
  assertEquals([late, alarms], [["again"], [100, 0, 100]]);
});

Deno.test("Deadlines reports the others in time when a late client is added again", pure, async () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock, 100);
  const late: [string, number][] = [];
  const again = new Client(() => late.push(["again", clock.now()]));
  deadlines.add(
    new Client(() => {
      late.push(["a", clock.now()]);
      deadlines.add(again);
    }),
  );
  await clock.advance(10);
  deadlines.add(new Client(() => late.push(["b", clock.now()])));
  await clock.advance(1000);
  assertEquals(late, [["a", 100], ["b", 110], ["again", 200]]);
  assertEquals(clock.timers, 0);
});
