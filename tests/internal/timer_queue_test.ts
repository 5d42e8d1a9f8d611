import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Alarms, TimerQueue } from "../../internal/timer_queue.ts";

const pure = { permissions: "none" } as const;

/** One alarm, and a time that is moved by hand. */
class ManualAlarms implements Alarms<number> {
  time = 0;
  sets = 0;
  alarm: { readonly id: number; readonly run: () => void; readonly at: number } | undefined;

  now(): number {
    return this.time;
  }

  set(run: () => void, ms: number): number {
    assertEquals(this.alarm, undefined, "only one alarm");
    this.alarm = { id: ++this.sets, run, at: this.time + ms };
    return this.sets;
  }

  clear(id: number): void {
    if (this.alarm?.id === id) this.alarm = undefined;
  }

  /** Moves the time, and rings on the way. */
  advance(to: number): void {
    while (this.alarm !== undefined && this.alarm.at <= to) this.ring();
    this.time = to;
  }

  /** Moves the time to the alarm, and rings. */
  ring(): void {
    const { run, at } = this.alarm!;
    this.alarm = undefined;
    this.time = Math.max(this.time, at);
    run();
  }
}

function setUp(): { alarms: ManualAlarms; queue: TimerQueue<number> } {
  const alarms = new ManualAlarms();
  return { alarms, queue: new TimerQueue(alarms) };
}

Deno.test("TimerQueue runs what is due, in order, whatever is set and canceled", pure, () => {
  const delays = fc.integer({ min: 0, max: 20 });
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant("set" as const), ms: delays }),
      fc.record({ do: fc.constant("cancel" as const), which: fc.nat(100) }),
      fc.record({ do: fc.constant("advance" as const), ms: delays }),
    ),
    { maxLength: 200, size: "max" },
  );
  fc.assert(fc.property(steps, (all) => {
    const { alarms, queue } = setUp();
    const model: { id: number; due: number }[] = [];
    const ran: number[] = [];
    const expected: number[] = [];
    const timers = [];
    for (const step of all) {
      if (step.do === "set") {
        const id = timers.length;
        model.push({ id, due: alarms.time + step.ms });
        timers.push(queue.after(step.ms, () => ran.push(id)));
      } else if (step.do === "cancel") {
        const id = step.which % Math.max(1, timers.length);
        timers[id]?.cancel();
        const at = model.findIndex((timer) => timer.id === id);
        if (at >= 0) model.splice(at, 1);
      } else {
        const to = alarms.time + step.ms;
        const due = model.filter((timer) => timer.due <= to).sort((a, b) => a.due - b.due || a.id - b.id);
        for (const timer of due) expected.push(model.splice(model.indexOf(timer), 1)[0]!.id);
        alarms.advance(to);
      }
      assertEquals(ran, expected);
      assertEquals(queue.size, model.length);
      assertEquals(alarms.alarm === undefined, model.length === 0);
    }
  }));
});

Deno.test(
  "TimerQueue runs timers with and without whole delays in order, and less than 1 ms late",
  pure,
  () => {
    // Whole delays of one kind, of more kinds than there are lists, and fractions.
    const delays = fc.oneof(
      fc.constant(10),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 80 }).map((quarter) => quarter / 4),
    );
    const steps = fc.array(
      fc.record({ ms: delays, cancel: fc.option(fc.nat(100)), advance: fc.integer({ min: 0, max: 2 }) }),
      { maxLength: 200, size: "max" },
    );
    fc.assert(fc.property(steps, (all) => {
      const { alarms, queue } = setUp();
      const timers: { readonly due: number; readonly timer: { cancel(): void }; canceled: boolean }[] = [];
      const ran: { readonly id: number; readonly due: number; readonly at: number }[] = [];
      for (const { ms, cancel, advance } of all) {
        const id = timers.length;
        const due = alarms.time + ms;
        const timer = queue.after(ms, () => ran.push({ id, due, at: alarms.time }));
        timers.push({ due, timer, canceled: false });
        const other = timers[cancel ?? -1];
        if (other !== undefined && !ran.some(({ id }) => id === cancel)) {
          other.timer.cancel();
          other.canceled = true;
        }
        alarms.advance(alarms.time + advance);
      }
      alarms.advance(alarms.time + 30);
      const kept = timers.flatMap(({ canceled }, id) => canceled ? [] : [id]);
      assertEquals(ran.map(({ id }) => id).sort((a, b) => a - b), kept);
      for (const { due, at } of ran) assertEquals([at >= due, at < due + 1], [true, true], `${due} at ${at}`);
      const inOrder = ran.toSorted((a, b) => a.at - b.at || a.due - b.due || a.id - b.id);
      assertEquals(ran, inOrder);
      assertEquals([queue.size, alarms.alarm], [0, undefined]);
    }));
  },
);

Deno.test("TimerQueue.after() sets one alarm for many timers", pure, () => {
  const { alarms, queue } = setUp();
  const timers = Array.from({ length: 1000 }, (_, i) => queue.after(10_000 + i, () => {}));
  for (const timer of timers) timer.cancel();
  assertEquals([alarms.sets, alarms.alarm], [1, undefined]);
});

Deno.test("TimerQueue keeps the order of thousands of timers when most of them are canceled", pure, () => {
  const { alarms, queue } = setUp();
  const ran: number[] = [];
  const timers = Array.from({ length: 5000 }, (_, i) => {
    const due = i * 7919 % 5000; // Each time from 0 to 4999 once, in no order.
    return { due, timer: queue.after(due, () => ran.push(due)) };
  });
  const kept = timers.filter(({ due }) => due % 10 === 3).map(({ due }) => due).sort((a, b) => a - b);
  for (const { due, timer } of timers) if (due % 10 !== 3) timer.cancel();
  assertEquals(queue.size, 500);
  alarms.advance(5000);
  assertEquals([ran, queue.size, alarms.alarm], [kept, 0, undefined]);
});

Deno.test("TimerQueue runs later timers when an earlier one cancels those due with it", pure, () => {
  const { alarms, queue } = setUp();
  const ran: string[] = [];
  queue.after(5, () => {
    ran.push("first");
    for (const timer of others) timer.cancel();
    queue.after(1, () => ran.push("last"));
  });
  const others = Array.from({ length: 200 }, () => queue.after(5, () => ran.push("canceled")));
  alarms.advance(5);
  assertEquals([ran, queue.size], [["first"], 1]);
  alarms.advance(6);
  assertEquals([ran, queue.size, alarms.alarm], [["first", "last"], 0, undefined]);
});

Deno.test("TimerQueue.untilDue is the time until the first timer, or less", pure, () => {
  const { alarms, queue } = setUp();
  assertEquals(queue.untilDue, Infinity);
  queue.after(30, () => {});
  const first = queue.after(10, () => {});
  assertEquals(queue.untilDue, 10);
  first.cancel(); // The next alarm finds out.
  alarms.advance(25);
  assertEquals(queue.untilDue, 5);
  alarms.advance(30);
  assertEquals([queue.size, queue.untilDue], [0, Infinity]);
});

Deno.test(
  "TimerQueue.attend() runs what is due, and sets the alarm only when it will not be called again",
  pure,
  () => {
    const { alarms, queue } = setUp();
    const ran: string[] = [];
    queue.awaitAttendance();
    queue.after(5, () => ran.push("first"));
    queue.after(8, () => {
      ran.push("second");
      queue.after(1, () => ran.push("third"));
    });
    queue.after(7, () => ran.push("canceled")).cancel();
    alarms.time = 4;
    queue.attend(true);
    assertEquals([ran, alarms.sets], [[], 0]);
    alarms.time = 6;
    queue.attend(true);
    assertEquals([ran, alarms.sets], [["first"], 0]);
    alarms.time = 8;
    queue.attend(false);
    assertEquals([ran, alarms.sets, alarms.alarm?.at], [["first", "second"], 1, 9]);
    queue.awaitAttendance();
    queue.attend(false);
    assertEquals(alarms.sets, 1);
    alarms.advance(9);
    assertEquals([ran, queue.size, alarms.alarm], [["first", "second", "third"], 0, undefined]);
  },
);

Deno.test("TimerQueue.attend() sets the alarm when a timer throws", pure, () => {
  const { alarms, queue } = setUp();
  queue.awaitAttendance();
  queue.after(1, () => {
    throw new TypeError("broken");
  });
  queue.after(3, () => {});
  alarms.time = 1;
  assertThrows(() => queue.attend(false), TypeError, "broken");
  assertEquals(alarms.alarm?.at, 3);
});

Deno.test("TimerQueue leaves a timer that another one sets for the next alarm", pure, () => {
  const { alarms, queue } = setUp();
  let runs = 0;
  const again = () => void (runs++, queue.after(0, again));
  queue.after(5, again);
  alarms.ring();
  assertEquals([runs, alarms.alarm?.at], [1, 5]);
});

Deno.test("TimerQueue runs the other timers, too, when one throws", pure, () => {
  const { alarms, queue } = setUp();
  let ran = false;
  queue.after(1, () => {
    throw new TypeError("broken");
  });
  queue.after(1, () => void (ran = true));
  assertThrows(() => alarms.advance(1), TypeError, "broken");
  alarms.advance(1);
  assertEquals([ran, queue.size], [true, 0]);
});

Deno.test("TimerQueue.after() waits longer than the runtime can, and forever", pure, () => {
  const { alarms, queue } = setUp();
  const ran: string[] = [];
  const month = 31 * 24 * 3600 * 1000;
  queue.after(Infinity, () => ran.push("never"));
  queue.after(month, () => ran.push("month"));
  alarms.advance(month - 1);
  assertEquals(ran, []);
  alarms.advance(month);
  assertEquals(ran, ["month"]);
  alarms.advance(12 * month);
  assertEquals([ran, queue.size], [["month"], 1]);
});

Deno.test("Timer.cancel() does nothing when the timer has run, or runs", pure, () => {
  const { alarms, queue } = setUp();
  let runs = 0;
  const timer = queue.after(1, () => {
    runs++;
    timer.cancel();
  });
  alarms.advance(1);
  timer.cancel();
  queue.after(1, () => runs++);
  alarms.advance(2);
  assertEquals(runs, 2);
});

Deno.test("TimerQueue sets no alarm for canceled timers alone when the last other one throws", pure, () => {
  const { alarms, queue } = setUp();
  queue.after(1, () => {
    throw new TypeError("broken");
  });
  queue.after(24 * 3600 * 1000, () => {}).cancel();
  assertThrows(() => alarms.advance(1), TypeError, "broken");
  assertEquals([queue.size, alarms.alarm], [0, undefined]);
});
