import { assertEquals, assertThrows } from "@std/assert";
import type { Clock } from "../../internal/clock.ts";
import { TURNS_UNTIL_POLL } from "../../internal/runtime_turns.ts";
import { atEndOfTurn } from "../../internal/turn.ts";
import { TurnSeries } from "../../native/turn_series.ts";

const pure = { permissions: "none" } as const;

/** A series on a clock that the test turns by hand. */
class Rig {
  now = 0;
  mayWait = true;
  /** The turns of each turn of the runtime. */
  readonly log: string[][] = [];
  /** Whether to start the series after the present call, as a promise does. */
  restart = false;
  /** Called by each turn. */
  onTurn: () => boolean = () => true;
  readonly series: TurnSeries;
  #calls: (() => void)[] = [];

  constructor() {
    const clock: Clock = {
      now: () => this.now,
      after: () => ({ cancel() {} }),
      soon: (run) => void this.#calls.push(run),
    };
    this.series = new TurnSeries(clock, {
      mayWait: () => this.mayWait,
      takeTurn: (shared) => {
        this.log.at(-1)!.push(shared ? "shared" : "alone");
        return this.onTurn();
      },
    });
  }

  /** Makes a turn of the runtime, and returns how many calls it made. */
  turn(): number {
    const calls = this.#calls;
    this.#calls = [];
    this.log.push([]);
    for (const call of calls) {
      call();
      if (this.restart) this.series.start(false);
      this.restart = false;
    }
    return calls.length;
  }

  /** Makes turns of the runtime, and returns how many turns each had. */
  turns(count: number): number[] {
    return Array.from({ length: count }, () => {
      this.turn();
      return this.log.at(-1)!.length;
    });
  }
}

/** As a promise does that sends something. */
function leaveToRuntime(): void {
  assertEquals(atEndOfTurn(() => {}), false);
}

Deno.test("TurnSeries takes twice as many turns in each turn of the runtime, up to 16", pure, () => {
  const rig = new Rig();
  rig.series.start(false);
  assertEquals(rig.turns(7), [1, 2, 4, 8, 16, 16, 16]);
});

Deno.test("TurnSeries takes no more turns before the runtime has done what was left to it", pure, () => {
  for (const mayWait of [true, false]) {
    const rig = new Rig();
    rig.mayWait = mayWait;
    rig.series.start(false);
    rig.turns(3);
    rig.onTurn = () => {
      if (rig.log.at(-1)!.length === 3) leaveToRuntime();
      return true;
    };
    assertEquals(rig.turns(1), [3]);
    rig.onTurn = () => true;
    assertEquals(rig.turns(2), [3, 6], "the output is written, and series become longer again");
    assertEquals(rig.log[4], ["shared", "alone", "alone"]);
    leaveToRuntime();
    assertEquals(rig.turns(1), [mayWait ? 0 : 1]);
  }
});

Deno.test("TurnSeries puts off a turn that may wait, once, when something was left before it", pure, () => {
  const rig = new Rig();
  rig.series.start(false);
  const leaveAndTurn = (): string[] => {
    leaveToRuntime();
    rig.turn();
    return rig.log.at(-1)!;
  };
  const turns = Array.from({ length: 4 }, leaveAndTurn);
  assertEquals(turns, [[], ["shared"], [], ["shared"]]);
  // Also when nothing was left for a while.
  assertEquals(rig.turns(3), [2, 4, 8]);
  assertEquals(Array.from({ length: 2 }, leaveAndTurn), [[], ["shared"]]);
});

Deno.test("TurnSeries takes one turn that does not wait when something was left before it", pure, () => {
  const rig = new Rig();
  rig.mayWait = false;
  rig.series.start(false);
  rig.turns(3);
  for (let turn = 0; turn < 3; turn++) {
    leaveToRuntime();
    rig.turn();
    assertEquals(rig.log.at(-1), ["shared"]);
  }
});

Deno.test("TurnSeries begins no turn 4 ms or more after it has scheduled a series", pure, () => {
  for (const [ms, turns] of [[1.5, 3], [4, 1]] as const) {
    const rig = new Rig();
    rig.series.start(false);
    rig.turns(3);
    rig.onTurn = () => {
      rig.now += ms;
      return true;
    };
    assertEquals(rig.turns(2), [turns, turns]);
  }
});

Deno.test("TurnSeries rests after 16 ms until the runtime has polled its own sockets", pure, () => {
  const rig = new Rig();
  let ms = 7.9;
  rig.onTurn = () => {
    rig.now += ms;
    return true;
  };
  rig.series.start(false);
  assertEquals(rig.turns(3), [1, 1, 1], "the third began after 15.8 ms");
  rig.turns(TURNS_UNTIL_POLL);
  ms = 8;
  const rest = new Array<number>(TURNS_UNTIL_POLL).fill(0);
  assertEquals(rig.turns(2), [1, 1]);
  assertEquals(rig.turns(TURNS_UNTIL_POLL), rest);
  assertEquals(rig.turns(2), [1, 1]);
  assertEquals(rig.turns(TURNS_UNTIL_POLL), rest);
});

Deno.test(
  "TurnSeries takes a turn after each 4 ms of a rest in which the runtime has other work",
  pure,
  () => {
    const rig = new Rig();
    rig.series.start(false);
    rig.turns(2);
    rig.now += 16;
    assertEquals(rig.turns(1), [1]);
    const rest: number[] = [];
    while (rest.filter((turns) => turns === 0).length < TURNS_UNTIL_POLL) {
      rig.now += 1;
      rest.push(...rig.turns(1));
    }
    assertEquals(rest.slice(0, 10), [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    assertEquals(rig.turns(3), [2, 4, 8]);
  },
);

Deno.test("TurnSeries counts the time anew when the runtime was idle before it starts", pure, () => {
  for (const rested of [true, false]) {
    const rig = new Rig();
    rig.onTurn = () => {
      rig.now += 8;
      return false;
    };
    rig.series.start(false);
    rig.turn();
    rig.onTurn = () => {
      rig.now += 8;
      return true;
    };
    rig.series.start(rested);
    assertEquals(rig.turns(2), rested ? [1, 1] : [1, 0]);
  }
});

Deno.test("TurnSeries ends with its last turn, and starts again, also in between", pure, () => {
  const rig = new Rig();
  rig.series.start(false);
  assertEquals(rig.turns(3), [1, 2, 4]);
  rig.onTurn = () => false;
  assertEquals([rig.turn(), rig.turn()], [8, 0]);
  assertEquals(rig.log.at(-2), ["alone"]);
  rig.onTurn = () => true;
  rig.series.start(false);
  assertEquals(rig.turns(3), [1, 2, 4]);
  // A turn that ends the series, after which it is started again before the runtime makes the other calls.
  let turns = 0;
  rig.onTurn = () => {
    if (++turns > 1) return true;
    rig.restart = true;
    return false;
  };
  assertEquals(rig.turns(2), [8, 2]);
});

Deno.test("TurnSeries goes on after a turn that throws", pure, () => {
  const rig = new Rig();
  rig.series.start(false);
  rig.onTurn = () => {
    throw new TypeError("turn");
  };
  assertThrows(() => rig.turn(), TypeError, "turn");
  rig.onTurn = () => true;
  assertEquals(rig.turns(2), [2, 4]);
});
