import { assertEquals } from "@std/assert";
import { EpollEvents } from "../../native/epoll_events.ts";
import { Libc } from "../../native/libc.ts";
import { ShortWait } from "../../native/short_wait.ts";
import { foreign } from "../_util/native/native.ts";

/** A C library with one descriptor, which is ready at the look or after the wait that the test chooses. */
class ScriptedLibc extends Libc {
  /** Looks before the descriptor is ready; after a wait, it is ready at once. */
  readyAfter = Infinity;
  looks = 0;
  pauses: number[] = [];

  override epollWait(_epoll: number, _events: EpollEvents, ns = 0): number {
    if (ns > 0) {
      this.pauses.push(ns);
      return 1;
    }
    this.looks++;
    return this.looks > this.readyAfter ? 1 : 0;
  }

  /** Forgets what was called. */
  reset(): void {
    this.looks = 0;
    this.pauses = [];
  }
}

/** Waits before the first spins, looks of a spin, and the most spins in vain. */
const [WAITS, LOOKS, MOST, TRIED] = [1024, 160, 16, 3];

/** The course of one wait: `"spin"` if it found something without a wait, `"both"` if it spun in vain, or `"wait"`. */
type Way = "spin" | "both" | "wait";

/** @param untilDue The time in ms until a timer is due. */
function open(untilDue?: () => number) {
  const libc = ScriptedLibc.open() as ScriptedLibc;
  const short = new ShortWait(libc, 0, new EpollEvents(1, libc.arch), untilDue ? { untilDue } : {});
  return {
    libc,
    wait(readyAfter = Infinity, shared = false): Way {
      libc.reset();
      libc.readyAfter = readyAfter;
      assertEquals(short.wait(shared), 1);
      if (libc.pauses.length === 0) return "spin";
      return libc.looks === 0 ? "wait" : "both";
    },
    [Symbol.dispose]: () => libc.unload(),
  };
}

/** Waits until spins are tried. */
function untilTried(wait: () => Way): void {
  for (let count = 1; count <= WAITS; count++) assertEquals(wait(), "wait", `wait ${count}`);
}

Deno.test(
  "ShortWait tries a few spins after many waits, and waits again if they are in vain",
  foreign,
  () => {
    using opened = open();
    const { libc, wait } = opened;
    for (let round = 0; round < 2; round++) {
      untilTried(wait);
      for (let spin = 1; spin <= TRIED; spin++) {
        assertEquals(wait(), "both");
        assertEquals(libc.looks, LOOKS);
      }
    }
  },
);

Deno.test(
  "ShortWait spins while something is found in time, and a limited number of times after that",
  foreign,
  () => {
    using opened = open();
    const { wait } = opened;
    untilTried(wait);
    for (let spin = 1; spin <= 100; spin++) assertEquals(wait(LOOKS - 1), "spin");
    assertEquals(wait(LOOKS), "both", "one look too late");
    for (let spin = 2; spin <= MOST; spin++) assertEquals(wait(), "both", `in vain ${spin}`);
    assertEquals(wait(), "wait");
  },
);

Deno.test("ShortWait goes on with spins while half of them find something", foreign, () => {
  using opened = open();
  const { wait } = opened;
  untilTried(wait);
  for (let pair = 1; pair <= 100; pair++) assertEquals([wait(), wait(0)], ["both", "spin"], `pair ${pair}`);
});

/** Waits, and returns for how long, in µs. */
function pauseOf(opened: ReturnType<typeof open>, shared = false): number {
  opened.wait(Infinity, shared);
  return opened.libc.pauses[0]! / 1000;
}

Deno.test("ShortWait waits longer while waits find something, up to 4 ms", foreign, () => {
  for (const untilDue of [undefined, () => Infinity, () => 4]) {
    using opened = open(untilDue);
    const pauses = Array.from({ length: 8 }, () => pauseOf(opened));
    assertEquals(pauses, [50, 100, 200, 400, 800, 1600, 3200, 4000]);
  }
});

Deno.test("ShortWait waits for up to 1 ms when other work has sent something", foreign, () => {
  using opened = open();
  const pauses = Array.from({ length: 8 }, () => pauseOf(opened, true));
  assertEquals(pauses, [50, 100, 200, 400, 800, 1000, 1000, 1000]);
  assertEquals(pauseOf(opened), 4000);
});

Deno.test("ShortWait waits until a timer is due, but for 2 ms if it is due before", foreign, () => {
  let due = 0.1;
  using opened = open(() => due);
  const pauses = Array.from({ length: 8 }, () => pauseOf(opened));
  assertEquals(pauses, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
  due = 2.5;
  assertEquals(pauseOf(opened), 2500);
  due = 2.123_456_78;
  assertEquals(pauseOf(opened), 2123.457);
  due = -3;
  assertEquals(pauseOf(opened), 2000);
});
