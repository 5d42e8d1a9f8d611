import { assertEquals, assertThrows } from "@std/assert";
import { EPOLLIN } from "../../native/epoll_events.ts";
import { EventLoop } from "../../native/event_loop.ts";
import { Handle, INPUT_EVENTS } from "../../native/handle.ts";
import { systemClock } from "../../socket/tcp.ts";
import { foreign, libc, openSpy } from "../_util/native/native.ts";
import { until } from "../_util/until.ts";

/** An eventfd, readable from the start or never. */
class Probe extends Handle {
  events = 0;
  readonly #onEvent: (probe: Probe) => void;

  constructor(
    loop: EventLoop,
    readable: boolean,
    onEvent: (probe: Probe) => void = () => {},
    descriptor: number | Handle = libc!.eventfd(),
  ) {
    if (readable && typeof descriptor === "number") libc!.raise(descriptor);
    super(loop, descriptor, INPUT_EVENTS);
    this.#onEvent = onEvent;
  }

  close(): void {
    this.closeDescriptor();
  }

  /** Returns a new owner of the same descriptor number, which is not readable anymore. */
  replace(): Probe {
    this.loop.watch(this, INPUT_EVENTS, undefined); // As closing it would.
    const descriptor = this.release();
    libc!.lower(descriptor);
    return new Probe(this.loop, false, undefined, descriptor);
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
    // The first event of a batch gives the number of every handle that has another event in it to a new owner.
    const storm = (): void => {
      const numbers = old.map((each) => each.descriptor);
      fresh = old.map((each) => each.replace());
      assertEquals(fresh.map((each) => each.descriptor), numbers);
    };
    const old: Probe[] = Array.from({ length: 64 }, () => new Probe(loop, true, storm));
    await until(() => fresh.length > 0);
    assertEquals(old.reduce((sum, each) => sum + each.events, 0), 1);
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
    const spy = openSpy();
    {
      await using loop = new EventLoop(spy, systemClock);
      const old = new Probe(loop, false);
      const next = old.replace();
      old.close();
      assertThrows(() => old.descriptor, Deno.errors.BadResource);
      assertEquals(spy.closed, []);
      const { descriptor } = next;
      next.close();
      next.close();
      assertEquals(spy.closed, [descriptor]);
    }
    spy.unload();
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
