import { assertEquals, assertRejects } from "@std/assert";
import type { Bus, BusHandlers } from "../../../relay/cluster/bus.ts";
import { encodeEnvelope } from "../../../relay/cluster/envelope.ts";
import { Membership, type MembershipOptions } from "../../../relay/cluster/membership.ts";
import { type MemoryBus, MemoryBusHub, type MemoryBusOptions } from "../../../relay/cluster/memory_bus.ts";
import { VirtualClock } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

/** A membership that records what it reports. */
class TestNode implements AsyncDisposable {
  readonly bus: MemoryBus;
  readonly membership: Membership;
  readonly events: string[] = [];

  constructor(id: string, hub: MemoryBusHub, clock: VirtualClock, options: Partial<MembershipOptions> = {}) {
    this.bus = hub.join(id);
    this.membership = new Membership({
      bus: this.bus,
      clock,
      onJoin: (node) => this.events.push(`join ${node.id}`),
      onCount: (node) => this.events.push(`count ${node.id} ${node.connections}`),
      onLines: (node, lines) => this.events.push(`lines ${node.id} ${lines.join("|")}`),
      onLeave: (node, reason) => this.events.push(`leave ${node.id} ${reason}`),
      ...options,
    });
  }

  /** Returns the events since the last call. */
  take(): string[] {
    return this.events.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.membership.close();
  }
}

async function startTwo(
  options: Partial<MemoryBusOptions> = {},
): Promise<{ a: TestNode; b: TestNode; clock: VirtualClock }> {
  const clock = new VirtualClock();
  const hub = new MemoryBusHub({ clock, latency: 1, ...options });
  const a = new TestNode("a", hub, clock);
  const b = new TestNode("b", hub, clock);
  await a.membership.start();
  await b.membership.start();
  await clock.advance(5);
  return { a, b, clock };
}

Deno.test("Membership.start() makes nodes known to each other", pure, async () => {
  const { a, b } = await startTwo();
  await using _ = a;
  await using __ = b;
  assertEquals(a.take(), ["join b"]);
  assertEquals(b.take(), ["join a"]);
  assertEquals([...a.membership.nodes].map(({ id }) => id), ["b"]);
});

Deno.test("Membership.announce() reports the latest count within 50 ms", pure, async () => {
  const { a, b, clock } = await startTwo();
  await using _ = a;
  await using __ = b;
  b.take();
  for (let count = 1; count <= 10; count++) a.membership.announce(count);
  await clock.advance(49);
  assertEquals(b.take(), []);
  await clock.advance(2);
  assertEquals(b.take(), ["count a 10"]);
});

Deno.test("Membership.send() sends the lines of one turn in one message", pure, async () => {
  const { a, b, clock } = await startTwo();
  await using _ = a;
  await using __ = b;
  b.take();
  for (const line of ["message 1", "ok 2", "message "]) a.membership.send("b", line);
  await clock.advance(1);
  assertEquals(b.take(), ["lines a message 1|ok 2|message "]);
  assertEquals(a.membership.stats().sent, 1);
  assertEquals(a.membership.stats().linesOut, 3);
});

Deno.test("Membership.send() splits lines at the bus's limit and drops a line beyond it", pure, async () => {
  const { a, b, clock } = await startTwo({ maxMessage: 128 + 20 });
  await using _ = a;
  await using __ = b;
  b.take();
  const lines = ["x".repeat(9), "y".repeat(9), "z".repeat(19), "é".repeat(10), "w"];
  for (const line of lines) a.membership.send("b", line);
  await clock.advance(1);
  assertEquals(b.take(), [`lines a ${lines[0]}|${lines[1]}`, `lines a ${lines[2]}`, "lines a w"]);
  assertEquals(a.membership.stats().dropped, 1);
});

Deno.test("Membership reports a line for an unknown node as dropped", pure, async () => {
  const { a, b } = await startTwo();
  await using _ = a;
  await using __ = b;
  a.membership.send("c", "message 1");
  assertEquals(a.membership.stats().dropped, 1);
});

Deno.test("Membership removes a node that says goodbye, and ignores its late heartbeats", pure, async () => {
  const { a, b, clock } = await startTwo();
  await using _ = a;
  a.take();
  const late = "okline/1 b 900 beat 7";
  await b.membership.close();
  await clock.advance(1);
  assertEquals(a.take(), ["leave b bye"]);
  a.bus.arrive(late);
  assertEquals(a.take(), []);
});

Deno.test("Membership removes a node that misses its heartbeats, and takes it back", pure, async () => {
  const { a, b, clock } = await startTwo();
  await using _ = a;
  await using __ = b;
  a.take();
  b.bus.silence();
  await clock.advance(3000);
  assertEquals(a.take(), []);
  await clock.advance(2000);
  assertEquals(a.take(), ["leave b silent"]);
  b.bus.restore();
  await clock.advance(1100);
  assertEquals(a.take(), ["join b"]);
});

Deno.test("Membership gives a silent node half a minute when its bus notices deaths", pure, async () => {
  const { a, b, clock } = await startTwo({ noticesDeath: true });
  await using _ = a;
  await using __ = b;
  a.take();
  b.bus.silence();
  await clock.advance(29_000);
  assertEquals(a.take(), []);
  await clock.advance(3000);
  assertEquals(a.take(), ["leave b silent"]);
});

Deno.test("Membership takes a node back whose link broke, when it hears from it again", pure, async () => {
  const clock = new VirtualClock();
  let handlers: BusHandlers | undefined;
  const events: string[] = [];
  const bus: Bus = {
    node: "a",
    maxMessage: 1024,
    noticesDeath: true,
    status: "connected",
    receive: (given) => handlers = given,
    connect: () => Promise.resolve(),
    send: () => true,
    publish: () => true,
    close: () => Promise.resolve(),
  };
  const membership = new Membership({
    bus,
    clock,
    onJoin: ({ id }) => events.push(`join ${id}`),
    onCount: ({ id, connections }) => events.push(`count ${id} ${connections}`),
    onLines: () => {},
    onLeave: ({ id }, reason) => events.push(`leave ${id} ${reason}`),
  });
  await membership.start();
  handlers?.onMessage(encodeEnvelope({ kind: "beat", from: "b", sequence: 1, connections: 2 }));
  handlers?.onGone("b");
  handlers?.onMessage(encodeEnvelope({ kind: "beat", from: "b", sequence: 9, connections: 3 }));
  await membership.close();
  assertEquals(events, ["join b", "count b 2", "leave b died", "join b", "count b 3"]);
});

Deno.test("Membership removes every node when the bus is lost, and finds them again", pure, async () => {
  const { a, b, clock } = await startTwo();
  await using _ = a;
  await using __ = b;
  a.take();
  a.bus.cut();
  assertEquals(a.take(), ["leave b bus-lost"]);
  a.bus.restore();
  await clock.advance(5);
  assertEquals(a.take(), ["join b"]);
});

Deno.test("Membership reports lines once when the bus duplicates every message", pure, async () => {
  const { a, b, clock } = await startTwo({ faults: { duplicate: 1 }, random: () => 0.5 });
  await using _ = a;
  await using __ = b;
  b.take();
  a.membership.send("b", "message 1");
  await clock.advance(5);
  assertEquals(b.take(), ["lines a message 1"]);
  assertEquals(b.membership.stats().duplicates > 0, true);
});

Deno.test("Membership counts messages of another version and ignores them", pure, async () => {
  const { a, b } = await startTwo();
  await using _ = a;
  await using __ = b;
  a.take();
  a.bus.arrive("okline/2 c 1 beat 3");
  assertEquals(a.take(), []);
  assertEquals(a.membership.stats().malformed, 1);
});

Deno.test("Membership.start() rejects when the bus cannot be reached", pure, async () => {
  const clock = new VirtualClock();
  const bus = new MemoryBusHub({ clock }).join("a");
  bus.connect = () => Promise.reject(new Deno.errors.ConnectionRefused("refused"));
  const none = () => {};
  const membership = new Membership({
    bus,
    clock,
    onJoin: none,
    onCount: none,
    onLines: none,
    onLeave: none,
  });
  await assertRejects(() => membership.start(), Deno.errors.ConnectionRefused);
  await membership.close();
});
