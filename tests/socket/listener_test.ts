/** A listener serves. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { CloseReason } from "../../socket/errors.ts";
import { echo, memoryServer } from "../_util/programs/memory_server.ts";
import { readText, readToEnd, text } from "../_util/network/transport_pair.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";

Deno.test(
  "Listener.serve() runs the handler for each connection, and closes it cleanly",
  { permissions },
  async () => {
    const ends: string[] = [];
    await using server = memoryServer({
      onEvent: on("closed", ({ connection: peer, reason }) => ends.push(`${peer.id} ${reason.type}`)),
    });
    const served = server.listener.serve(echo);
    const one = await server.dial();
    const two = await server.dial();
    await one.write(text("from one\n"));
    await two.write(text("from two\n"));
    await server.clock.advance(0);
    assertEquals([await readText(one), await readText(two)], ["from one\n", "from two\n"]);
    await two.closeWrite();
    assertEquals(await server.clock.runUntil(readToEnd(two)), 0);
    await one.closeWrite();
    assertEquals(await server.clock.runUntil(readToEnd(one)), 0);
    assertEquals(ends, ["2 natural", "1 natural"]);
    await server.listener.close();
    await served;
  },
);

Deno.test(
  "Listener.stats() counts accepted and open connections, and how each ended",
  { permissions },
  async () => {
    await using server = memoryServer();
    void server.listener.serve(echo);
    const [one, two, three] = [await server.dial(), await server.dial(), await server.dial()];
    assertEquals(server.listener.stats(), {
      accepted: 3,
      transientErrors: 0,
      outOfDescriptors: 0,
      connections: 3,
      peakConnections: 3,
      refused: 0,
      refusals: { "max-connections": 0, "max-connections-per-ip": 0, "address": 0 },
      timeouts: {},
      framingErrors: {},
      closed: { ...server.listener.stats().closed, natural: 0, reset: 0 },
      queuedBytes: 0,
      suspended: false,
      waiting: 0,
      paced: 0,
    });
    await one.closeWrite();
    two.reset();
    await server.clock.advance(0);
    const { connections, peakConnections, closed } = server.listener.stats();
    assertEquals([connections, peakConnections, closed.natural, closed.reset], [1, 3, 1, 1]);
    await three.closeWrite();
    await server.clock.advance(0);
    assertEquals(server.listener.stats().connections, 0);
  },
);

Deno.test("Listener.stats() adds up the queued bytes of open connections", {
  permissions,
}, async () => {
  await using server = memoryServer({ capacity: 10 });
  void server.listener.serve(async (peer) => {
    peer.send("x".repeat(29));
    await peer.flushed();
  });
  const one = await server.dial();
  await server.dial();
  assertEquals(server.listener.stats().queuedBytes, 40);
  one.reset();
  await server.clock.advance(0);
  assertEquals(server.listener.stats().queuedBytes, 20);
});

Deno.test("Listener.until() observes each change", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  const two = server.listener.until((stats) => stats.connections === 2);
  const none = two.then(() => server.listener.until((stats) => stats.connections === 0));
  const one = await server.dial();
  const other = await server.dial();
  assertEquals((await two).accepted, 2);
  one.close();
  other.close();
  assertEquals((await server.clock.runUntil(none)).closed.natural, 2);
  const suspended = server.listener.until((stats) => stats.suspended);
  server.listener.suspend();
  await suspended;
});

Deno.test("Listener.serve() closes only the connection whose handler throws", {
  permissions,
}, async () => {
  const ends: CloseReason[] = [];
  const errors: Error[] = [];
  await using server = memoryServer({
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
    onError: (cause) => void errors.push(cause),
  });
  const error = new RangeError("broken");
  void server.listener.serve(async (peer) => {
    for await (const line of peer) {
      if (line === "throw") throw error;
      peer.send(line);
    }
  });
  const good = await server.dial();
  const bad = await server.dial();
  await bad.write(text("throw\n"));
  await server.clock.advance(0);
  assertEquals(ends, [{ type: "handler-failed", error }]);
  assertEquals(errors, [error]);
  assertEquals(await readText(bad), null);
  await good.write(text("still here\n"));
  await server.clock.advance(0);
  assertEquals(await readText(good), "still here\n");
});

Deno.test(
  "Listener.serve() reports handler-failed when the handler throws synchronously or throws a string",
  { permissions },
  async () => {
    const ends: CloseReason[] = [];
    const errors: Error[] = [];
    await using server = memoryServer({
      onEvent: on("closed", ({ reason }) => ends.push(reason)),
      onError: (error) => void errors.push(error),
    });
    void server.listener.serve(() => {
      throw "a string";
    });
    await server.dial();
    const [reason] = ends;
    assert(reason?.type === "handler-failed");
    assertEquals(reason.error.message, "a string");
    assertEquals(errors, [reason.error]);
  },
);

Deno.test(
  "Listener.serve() closes a connection with reason framing when its input is invalid",
  { permissions },
  async () => {
    const ends: CloseReason[] = [];
    await using server = memoryServer({
      limits: { maxLine: 4 },
      onEvent: on("closed", ({ reason }) => ends.push(reason)),
    });
    void server.listener.serve(echo);
    const peer = await server.dial();
    await peer.write(text("good\nlonger\n"));
    await server.clock.advance(0);
    assertEquals(await readText(peer), "good\n");
    assertEquals(await readText(peer), null);
    await peer.closeWrite();
    await server.clock.advance(0);
    const [reason] = ends;
    assert(reason?.type === "framing");
    assertEquals(reason.error.code, "line-too-long");
  },
);

Deno.test("Listener.serve() throws when it is called twice", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  assertThrows(() => server.listener.serve(echo), TypeError, "Cannot serve a listener twice");
  await assertRejects(() => server.listener[Symbol.asyncIterator]().next(), TypeError, "twice");
});

Deno.test(
  "Listener.limits.maxConnections refuses a peer over the limit, and accepts it when one has closed",
  {
    permissions,
  },
  async () => {
    await using server = memoryServer({ limits: { maxConnections: 2 }, refusal: (why) => `error ${why}` });
    void server.listener.serve(echo);
    const one = await server.dial();
    await server.dial();
    const refused = await server.dial();
    assertEquals(await readText(refused), "error busy: 2 connections are open\n");
    assertEquals(await readText(refused), null);
    const { connections, accepted } = server.listener.stats();
    assertEquals([connections, accepted, server.listener.stats().refused], [2, 3, 1]);
    one.close();
    await server.clock.advance(0);
    const next = await server.dial();
    await next.write(text("in\n"));
    await server.clock.advance(0);
    assertEquals(await readText(next), "in\n");
  },
);

Deno.test("Listener.limits.maxConnections closes a refused peer soon", { permissions }, async () => {
  const ends: CloseReason[] = [];
  await using server = memoryServer({
    limits: { maxConnections: 1 },
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
  });
  void server.listener.serve(echo);
  await server.dial();
  await server.dial(); // It never closes.
  assertEquals(server.network.stats().sockets, 4);
  await server.clock.advance(999);
  assertEquals(server.network.stats().sockets, 4);
  await server.clock.advance(1);
  assertEquals(server.network.stats().sockets, 3);
  assertEquals(ends, []); // It was no connection of the listener's.
});

Deno.test(
  "Listener.limits.maxConnectionsPerIp limits each address separately, and forgets closed connections",
  { permissions },
  async () => {
    await using server = memoryServer({
      hostnames: ["10.0.0.1"],
      limits: { maxConnectionsPerIp: 2 },
      refusal: (why) => why,
    });
    const { clock, network, listener } = server;
    void listener.serve(echo);
    const dial = async (from: string) => {
      const socket = await clock.runUntil(
        network.from(from).connect({ hostname: "10.0.0.1", port: listener.port }),
      );
      await clock.advance(0);
      return socket;
    };
    const first = [await dial("10.0.0.2"), await dial("10.0.0.2")];
    const refused = await dial("10.0.0.2");
    assertEquals(await readText(refused), "busy: 2 connections are open from this address\n");
    const other = await dial("10.0.0.3");
    assertEquals(listener.stats().connections, 3);
    first[0]!.close();
    await clock.advance(0);
    const again = await dial("10.0.0.2");
    assertEquals(listener.stats().refused, 1);
    for (const socket of [...first, refused, other, again]) socket.close();
  },
);

Deno.test("Listener.serve() serves peers that arrived before it", { permissions }, async () => {
  await using server = memoryServer();
  const early = await server.dial();
  const queued = await server.dial();
  await early.write(text("early\n"));
  await queued.write(text("queued\n"));
  void server.listener.serve(echo);
  await server.clock.advance(0);
  assertEquals([await readText(early), await readText(queued)], ["early\n", "queued\n"]);
});

Deno.test("Listener.serve() does not serve peers that left before it", { permissions }, async () => {
  await using server = memoryServer({ timeouts: { idle: 100 } });
  await server.dial();
  const [waiting] = server.listener.connections;
  waiting!.abort();
  let served = 0;
  void server.listener.serve(() => void served++);
  await server.clock.advance(0);
  assertEquals(served, 0);
});

Deno.test(
  "Listener keeps no memory of thousands of ended connections",
  { permissions },
  async () => {
    await using server = memoryServer();
    void server.listener.serve(echo);
    const { clock, listener, network } = server;
    for (let round = 0; round < 20; round++) {
      const sockets = await clock.runUntil(
        Promise.all(Array.from({ length: 100 }, () => network.connect({ port: listener.port }))),
      );
      for (const socket of sockets) {
        await socket.write(text("hello\n"));
        await socket.closeWrite();
      }
      await clock.runUntil(listener.until((stats) => stats.connections === 0));
      for (const socket of sockets) socket.close();
    }
    const stats = listener.stats();
    assertEquals([stats.accepted, stats.closed.natural, stats.queuedBytes], [2000, 2000, 0]);
    assertEquals(network.stats(), { listeners: 1, sockets: 0, queued: 0 });
    assertEquals(clock.timers, 0);
  },
);
