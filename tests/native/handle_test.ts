import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { AF_INET } from "../../native/abi.ts";
import { EPOLLIN } from "../../native/epoll_events.ts";
import { EventLoop } from "../../native/event_loop.ts";
import { Handle } from "../../native/handle.ts";
import { systemClock } from "../../socket/tcp.ts";
import { foreign, libc } from "../_util/native/native.ts";
import { until } from "../_util/until.ts";

/** A descriptor that is readable from the start, or never. */
class Probe extends Handle {
  events = 0;
  readonly #onEvent: (probe: Probe) => void;

  constructor(
    loop: EventLoop,
    readable: boolean,
    onEvent: (probe: Probe) => void = () => {},
    descriptor = libc!.eventfd(),
  ) {
    if (readable) libc!.raise(descriptor);
    super(loop, descriptor, EPOLLIN);
    this.#onEvent = onEvent;
  }

  close(): void {
    this.closeDescriptor();
  }

  protected wanted(): number {
    return this.closed ? 0 : EPOLLIN;
  }

  protected readable(): void {
    this.events++;
    this.#onEvent(this);
  }

  protected writable(): void {}
}

Deno.test("Handle receives no event of an earlier owner of its descriptor number", foreign, async () => {
  await using loop = new EventLoop(libc!, systemClock);
  loop.begin();
  for (let round = 0; round < 50; round++) {
    let fresh: Probe[] = [];
    // The first event of a batch closes every handle that has another in it, and opens as many with the same numbers.
    const storm = (): void => {
      const numbers = old.map((each) => each.descriptor);
      for (const each of old) each.close();
      fresh = old.map(() => new Probe(loop, false));
      assertEquals(new Set(fresh.map((each) => each.descriptor)), new Set(numbers));
    };
    const old: Probe[] = Array.from({ length: 64 }, () => new Probe(loop, true, storm));
    await until(() => fresh.length > 0);
    const turns = loop.stats().stale;
    assertEquals(old.reduce((sum, each) => sum + each.events, 0), 1);
    assertGreater(turns, 0);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assertEquals(fresh.map((each) => each.events), Array(64).fill(0));
    for (const each of fresh) each.close();
  }
  assertEquals([loop.stats().open, loop.stats().stale], [0, 50 * 63]);
  loop.end();
});

Deno.test(
  "Handle.descriptor throws after the handle is closed, and closing again leaves the number's new owner alone",
  foreign,
  async () => {
    await using loop = new EventLoop(libc!, systemClock);
    const old = new Probe(loop, false);
    const number = old.descriptor;
    old.close();
    const next = libc!.socket(AF_INET);
    assertEquals(next, number);
    old.close();
    assertThrows(() => old.descriptor, Deno.errors.BadResource);
    assertEquals(libc!.adopt(next), 0);
    libc!.close(next);
  },
);

Deno.test("Handle is closed when epoll cannot watch its descriptor", foreign, async () => {
  await using loop = new EventLoop(libc!, systemClock);
  class Unwatchable extends Probe {
    constructor() {
      super(loop, false, undefined, 1_000_000);
    }
  }
  assertThrows(() => new Unwatchable(), Deno.errors.BadResource, "Bad file descriptor");
  assertEquals(loop.stats().open, 0);
});
