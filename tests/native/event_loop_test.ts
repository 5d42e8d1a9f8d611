import { assertEquals } from "@std/assert";
import type { Clock } from "../../internal/clock.ts";
import { errnoOf } from "../../native/errno.ts";
import { type EpollEvents, EPOLLIN } from "../../native/epoll_events.ts";
import { EventLoop } from "../../native/event_loop.ts";
import { INPUT_EVENTS } from "../../native/handle.ts";
import { Libc } from "../../native/libc.ts";
import type { NativeTransport } from "../../native/transport.ts";
import { systemClock } from "../../socket/tcp.ts";
import { EventHandle } from "../_util/native/event_handle.ts";
import { foreign, network as maybeNetwork, ring } from "../_util/native/native.ts";
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

/** Opens a C library that logs `"wait"` when it waits for events. */
function openLogging(log: string[]): Libc {
  class LoggingLibc extends Libc {
    override epollWait(epoll: number, events: EpollEvents, ns = 0): number {
      if (ns > 0) log.push("wait");
      return super.epollWait(epoll, events, ns);
    }
  }
  return LoggingLibc.open();
}

Deno.test(
  "EventLoop does not wait before a handler's output is written, even if it is sent after a promise",
  foreign,
  async () => {
    const log: string[] = [];
    const logging = openLogging(log);
    {
      await using loop = new EventLoop(logging, systemClock);
      const service = new EventHandle(loop, EPOLLIN, () => {
        log.push("event");
        logging.lower(service.descriptor);
        // As a handler that reads in a loop, and the batcher that writes at the end of the turn.
        void Promise.resolve().then(() => systemClock.soon(() => log.push("written")));
      });
      loop.begin();
      for (let round = 1; round <= 5; round++) {
        logging.raise(service.descriptor);
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

Deno.test("EventLoop does not wait before the output of a timer that starts it", foreign, async () => {
  const log: string[] = [];
  const logging = openLogging(log);
  {
    await using loop = new EventLoop(logging, systemClock);
    loop.begin();
    await until(() => log.includes("wait"));
    loop.end();
    await until(() => !loop.stats().running);
    log.length = 0;
    await new Promise<void>((resolve) =>
      systemClock.after(1, () => {
        loop.begin();
        systemClock.soon(() => {
          log.push("written");
          resolve();
        });
      })
    );
    loop.end();
    assertEquals(log, ["written"]);
  }
  logging.unload();
});

// Each with the number of events after which others send something.
const OTHERS = [["never", 0, 4], ["always", Infinity, 1], ["at first", 5, 4]] as const;

for (const [when, events, longest] of OTHERS) {
  Deno.test(
    `EventLoop waits for up to ${longest} ms when others on its thread send ${when}`,
    foreign,
    async () => {
      const pauses: number[] = [];
      class ReadyLibc extends Libc {
        override epollWait(epoll: number, events: EpollEvents, ns = 0): number {
          if (ns > 0) {
            pauses.push(ns);
            this.raise(service.descriptor);
          }
          return super.epollWait(epoll, events);
        }
      }
      const clock: Clock = { ...systemClock, untilDue: () => Infinity };
      const libc = ReadyLibc.open();
      const loop = new EventLoop(libc, clock);
      const service = new EventHandle(loop, EPOLLIN, () => {
        libc.lower(service.descriptor);
        if (pauses.length < events) void Promise.resolve().then(() => clock.soon(() => {}));
      });
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

const withNet = { ...foreign, permissions: { ffi: true, net: true } } as const;

Deno.test("EventLoop lets the runtime poll its own sockets while events keep coming", withNet, async () => {
  const libc = Libc.open();
  let events = 0;
  const counts: number[] = [];
  {
    await using loop = new EventLoop(libc, { ...systemClock, now: () => events });
    const busy = new EventHandle(loop, EPOLLIN, () => void events++);
    libc.raise(busy.descriptor);
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [near, far] = await Promise.all([Deno.connect({ port: listener.addr.port }), listener.accept()]);
    loop.begin();
    for (let round = 1; round <= 10; round++) {
      const reading = far.read(new Uint8Array(1));
      const before = events;
      await near.write(text("x"));
      assertEquals(await reading, 1);
      counts.push(events - before);
    }
    near.close();
    far.close();
    busy.close();
    loop.end();
  }
  libc.unload();
  // With one event a ms, four in each of 61 turns would be 244.
  const most = Math.max(...counts);
  assertEquals(most < 50, true, `${most} events in one round`);
});

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
    const libc = TrimmedLibc.open();
    const loop = new EventLoop(libc, systemClock);
    {
      await using _ = loop;
      const handles = Array.from({ length: 128 }, () => new EventHandle(loop, EPOLLIN));
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
      const handles: EventHandle[] = Array.from(
        { length: 4 },
        (_, index) =>
          new EventHandle(loop, INPUT_EVENTS, () => {
            libc.lower(handles[index]!.descriptor);
            received++;
            if (received === 1) throw thrown;
          }),
      );
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

Deno.test("EventLoop makes the sends of a turn that fails", ring, async () => {
  let asleep = false;
  let failing = true;
  class FailingLibc extends Libc {
    override epollSleep(epoll: number, ms: number): Promise<void> {
      asleep = true;
      return super.epollSleep(epoll, ms);
    }

    override lower(eventfd: number): number {
      return failing && eventfd !== handles[0]!.descriptor ? -errnoOf("EIO") : super.lower(eventfd);
    }
  }
  const failures: unknown[] = [];
  const caught = (event: ErrorEvent): void => {
    event.preventDefault();
    failures.push(event.error);
    failing = false;
  };
  addEventListener("error", caught);
  const libc = FailingLibc.open();
  const results: number[] = [];
  const handles: EventHandle[] = [];
  {
    using pair = await transportPair(network);
    const { descriptor } = pair.near as NativeTransport;
    await using loop = new EventLoop(libc, systemClock);
    const send = (): void => {
      libc.lower(handles[0]!.descriptor);
      const sender = { handleSent: (result: number) => void results.push(result) };
      assertEquals(loop.sends.add(descriptor, text("sent"), 4, false, sender), 0);
    };
    for (let index = 0; index < 5; index++) {
      handles.push(new EventHandle(loop, INPUT_EVENTS, index === 0 ? send : undefined));
    }
    loop.begin();
    await until(() => asleep);
    for (const handle of handles) libc.raise(handle.descriptor);
    // It wakes itself up by its own descriptor, the last event of a busy turn, and cannot lower it.
    loop.end();
    loop.begin();
    await until(() => failures.length > 0);
    for (const handle of handles) handle.close();
    loop.end();
    assertEquals(results, [4]);
  }
  removeEventListener("error", caught);
  libc.unload();
  assertEquals(failures.length, 1);
});
