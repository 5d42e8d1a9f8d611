import { assertEquals } from "@std/assert";
import type { Clock } from "../../internal/clock.ts";
import { EPOLLIN } from "../../native/epoll_events.ts";
import { EventLoop } from "../../native/event_loop.ts";
import { Handle, INPUT_EVENTS } from "../../native/handle.ts";
import { Libc } from "../../native/libc.ts";
import { systemClock } from "../../socket/tcp.ts";
import { foreign, network as maybeNetwork } from "../_util/native/native.ts";
import { readText, text, transportPair } from "../_util/network/transport_pair.ts";
import { until } from "../_util/until.ts";

const network = maybeNetwork!;

Deno.test("EventLoop runs only while an operation waits", foreign, async () => {
  {
    using pair = await transportPair(network);
    await until(() => !network.stats().running);
    const reading = readText(pair.far);
    assertEquals([network.stats().waiting, network.stats().running], [1, true]);
    await pair.near.write(text("x"));
    await reading;
    await until(() => !network.stats().running);
    // Open connections that nothing waits for: the loop is at rest.
    assertEquals(network.stats().open, 3);
  }
  const { open, waiting, running } = network.stats();
  assertEquals({ open, waiting, running }, { open: 0, waiting: 0, running: false });
});

Deno.test(
  "EventLoop stops looking at a connection that its peer has reset and nothing reads",
  foreign,
  async () => {
    using pair = await transportPair(network);
    using other = await transportPair(network);
    pair.near.reset!();
    // While the loop runs for another connection, the hang-up must not come again and again.
    const reading = readText(other.far);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    await other.near.write(text("still served"));
    assertEquals(await reading, "still served");
  },
);

Deno.test("EventLoop serves more busy connections than fit in a turn evenly", foreign, async () => {
  const listener = network.listen({ port: 0 });
  const counts: number[] = [];
  const ends = [];
  let over = false;
  for (let index = 0; index < 300; index++) {
    const [near, far] = await Promise.all([
      network.connect({ port: listener.address.port }),
      listener.accept(),
    ]);
    ends.push(near, far);
    counts.push(0);
  }
  const busy = ends.map(async (end, index) => {
    const buffer = new Uint8Array(16);
    if (index % 2 === 0) await end.write(text("ping\n"));
    while (!over) {
      const count = await end.read(buffer).catch(() => null);
      if (count === null || over) return;
      if (index % 2 === 0) counts[index / 2]!++;
      await end.write(buffer.subarray(0, count));
    }
  });
  await until(() => counts.every((count) => count >= 10));
  over = true;
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  for (const end of ends) end.close();
  listener.close();
  await Promise.all(busy);
  assertEquals(most <= 3 * least, true, `from ${least} to ${most} replies`);
});

Deno.test(
  "EventLoop does not wait before a handler's output is written, even if it is sent after a promise",
  foreign,
  async () => {
    const log: string[] = [];
    class LoggingLibc extends Libc {
      override epollPause(epoll: number, ns: number): void {
        log.push("wait");
        super.epollPause(epoll, ns);
      }
    }
    class Service extends Handle {
      close(): void {
        this.closeDescriptor();
      }

      protected wanted(): number {
        return EPOLLIN;
      }

      protected readable(): void {
        log.push("event");
        this.loop.libc.lower(this.descriptor);
        // As a handler that reads in a loop, and the batcher that writes at the end of the turn.
        void Promise.resolve().then(() => systemClock.soon(() => log.push("written")));
      }

      protected writable(): void {}
    }
    const logging = LoggingLibc.open();
    {
      await using loop = new EventLoop(logging, systemClock);
      const descriptor = logging.eventfd();
      const service = new Service(loop, descriptor, EPOLLIN);
      loop.begin();
      for (let round = 1; round <= 5; round++) {
        logging.raise(descriptor);
        await until(() => log.filter((entry) => entry === "written").length === round);
        const at = log.lastIndexOf("event");
        assertEquals(log.slice(at, at + 2), ["event", "written"]);
      }
      service.close();
      loop.end();
    }
    logging.unload();
  },
);

// Events after which other work sends something.
for (
  const [name, others, longest] of [["nobody else", 0, 4], ["others", 20, 1], [
    "others, but not anymore,",
    5,
    4,
  ]] as const
) {
  Deno.test(
    `EventLoop waits for up to ${longest} ms when ${name} on its thread sends something`,
    foreign,
    async () => {
      const pauses: number[] = [];
      class ReadyLibc extends Libc {
        override epollPause(_epoll: number, ns: number): void {
          pauses.push(ns);
          this.raise(service.descriptor);
        }
      }
      class Service extends Handle {
        close(): void {
          this.closeDescriptor();
        }

        protected wanted(): number {
          return EPOLLIN;
        }

        protected readable(): void {
          this.loop.libc.lower(this.descriptor);
          if (pauses.length < others) void Promise.resolve().then(() => clock.soon(() => {}));
        }

        protected writable(): void {}
      }
      const clock: Clock = { ...systemClock, untilDue: () => Infinity };
      const libc = ReadyLibc.open();
      const loop = new EventLoop(libc, clock);
      const service = new Service(loop, libc.eventfd(), EPOLLIN);
      {
        await using _ = loop;
        loop.begin();
        await until(() => pauses.length >= 20);
        service.close();
        loop.end();
      }
      libc.unload();
      assertEquals(Math.max(...pauses.slice(0, 20)), longest * 1_000_000);
    },
  );
}

Deno.test(
  "EventLoop returns freed memory after 65,536 events, and after twice as many",
  foreign,
  async () => {
    const trimmedAt: number[] = [];
    class TrimmedLibc extends Libc {
      override trimMemory(): void {
        trimmedAt.push(loop.stats().events);
      }
    }
    class Ready extends Handle {
      close(): void {
        this.closeDescriptor();
      }

      protected wanted(): number {
        return EPOLLIN;
      }

      protected readable(): void {}

      protected writable(): void {}
    }
    const libc = TrimmedLibc.open();
    const loop = new EventLoop(libc, systemClock);
    {
      await using _ = loop;
      const handles = Array.from({ length: 128 }, () => new Ready(loop, libc.eventfd(), EPOLLIN));
      for (const { descriptor } of handles) libc.raise(descriptor);
      loop.begin();
      await until(() => loop.stats().events > 3 * 65_536);
      for (const handle of handles) handle.close();
      loop.end();
    }
    libc.unload();
    assertEquals(trimmedAt, [65_536, 131_072]);
  },
);

Deno.test(
  "EventLoop handles the other events of a turn when the handler of one throws",
  foreign,
  async () => {
    class Receiving extends Handle {
      readonly #received: () => void;

      constructor(loop: EventLoop, received: () => void) {
        super(loop, loop.libc.eventfd(), INPUT_EVENTS);
        this.#received = received;
      }

      close(): void {
        this.closeDescriptor();
      }

      protected wanted(): number {
        return EPOLLIN;
      }

      protected readable(): void {
        this.loop.libc.lower(this.descriptor);
        this.#received();
      }

      protected writable(): void {}
    }
    const reported: unknown[] = [];
    const report = (event: ErrorEvent): void => {
      event.preventDefault();
      reported.push(event.error);
    };
    addEventListener("error", report);
    const libc = Libc.open();
    try {
      await using loop = new EventLoop(libc, systemClock);
      let received = 0;
      const thrown = new TypeError("handler");
      const handles = Array.from({ length: 4 }, () =>
        new Receiving(loop, () => {
          received++;
          if (received === 1) throw thrown;
        }));
      for (const { descriptor } of handles) libc.raise(descriptor);
      loop.begin();
      await until(() => received === 4);
      for (const handle of handles) handle.close();
      loop.end();
      assertEquals(reported, [thrown]);
    } finally {
      removeEventListener("error", report);
    }
    libc.unload();
  },
);
