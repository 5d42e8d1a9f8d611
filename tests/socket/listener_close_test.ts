/** Suspending, draining, and closing of a listener. */
import { assertEquals, assertRejects } from "@std/assert";
import type { CloseReason } from "../../socket/errors.ts";
import { echo, memoryServer } from "../_util/programs/memory_server.ts";
import { readText, readToEnd, text } from "../_util/network/transport_pair.ts";
import { on } from "../_util/on_event.ts";
import { startLineEcho } from "../_util/network/line_echo.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";

const permissions = "none";

Deno.test(
  "Listener counts an ended connection and calls onEvent before `closed` resolves",
  { permissions },
  async () => {
    const ends: CloseReason[] = [];
    await using server = memoryServer({ onEvent: on("closed", ({ reason }) => ends.push(reason)) });
    const heard = Promise.withResolvers<[number, number]>();
    const seen = (): [number, number] => [server.listener.stats().connections, ends.length];
    void server.listener.serve((peer) => {
      const closed = peer.closed.then(() => heard.resolve(seen()));
      peer.abort();
      return closed;
    });
    await server.dial();
    assertEquals(await heard.promise, [0, 1]);
  },
);

Deno.test(
  "Listener.finished rejects with the error of onEvent after everything is closed",
  { permissions },
  async () => {
    const server = memoryServer({
      onEvent: on("closed", () => {
        throw new RangeError("broken");
      }),
    });
    const failed = assertRejects(() => server.listener.serve(echo), RangeError, "broken");
    await server.dial();
    const other = await server.dial();
    await assertRejects(() => server.listener.close(), RangeError, "broken");
    await failed;
    assertEquals(server.listener.stats().connections, 0);
    await server.clock.advance(0);
    assertEquals(await readText(other), null);
  },
);

Deno.test("Listener.suspend() leaves peers in the queue until resume()", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  await server.clock.advance(0); // It is accepting already.
  server.listener.suspend();
  server.listener.suspend();
  const one = await server.dial();
  await server.dial();
  await one.write(text("early\n"));
  await server.clock.advance(10_000);
  assertEquals([server.listener.stats().connections, server.listener.stats().suspended], [0, true]);
  server.listener.resume();
  await server.clock.advance(0);
  assertEquals([server.listener.stats().connections, server.listener.stats().suspended], [2, false]);
  assertEquals(await readText(one), "early\n");
});

Deno.test("Listener.suspend() does not affect open connections", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  const peer = await server.dial();
  server.listener.suspend();
  await peer.write(text("hello\n"));
  await server.clock.advance(0);
  assertEquals(await readText(peer), "hello\n");
});

Deno.test("Listener.suspend() suspends when it is called right after resume()", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  server.listener.suspend();
  await server.clock.advance(0);
  await server.dial();
  server.listener.resume();
  server.listener.suspend();
  await server.clock.advance(0);
  assertEquals(server.listener.stats().connections, 0);
});

Deno.test("Listener.close() resets queued peers when suspended, and settles", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  await server.clock.advance(0);
  server.listener.suspend();
  const taken = await server.dial(); // The pending accept takes it.
  const queued = await server.dial();
  await server.listener.close();
  await server.clock.advance(0);
  assertEquals(await readText(taken), null);
  await assertRejects(() => readText(queued), Deno.errors.ConnectionReset);
  taken.close();
  queued.close();
  assertEquals(server.network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

Deno.test("Listener.stopAccepting() unbinds, and keeps the connections open", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  const peer = await server.dial();
  server.listener.stopAccepting();
  await assertRejects(() => server.dial(), Deno.errors.ConnectionRefused);
  await peer.write(text("hello\n"));
  await server.clock.advance(0);
  assertEquals(await readText(peer), "hello\n");
});

Deno.test(
  "Listener.shutdown() sends queued data, closes every connection cleanly, and settles",
  { permissions },
  async () => {
    const ends: CloseReason[] = [];
    await using server = memoryServer({
      capacity: 10,
      onEvent: on("closed", ({ reason }) => ends.push(reason)),
    });
    const served = server.listener.serve(async (peer) => {
      peer.send("x".repeat(99));
      for await (const _ of peer);
    });
    const peer = await server.dial();
    const drained = server.listener.shutdown();
    const got = (async () => {
      const bytes = await readToEnd(peer);
      await peer.closeWrite();
      return bytes;
    })();
    assertEquals(await server.clock.runUntil(got), 100);
    await server.clock.runUntil(Promise.all([drained, served]));
    assertEquals(ends, [{ type: "local", why: "drained" }]);
    assertEquals(server.clock.timers, 0);
  },
);

Deno.test("Listener.shutdown() cuts off peers that do not finish in time", { permissions }, async () => {
  const ends: CloseReason[] = [];
  await using server = memoryServer({
    timeouts: { drain: 500 },
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
  });
  void server.listener.serve(echo);
  await server.dial();
  await server.clock.runUntil(server.listener.shutdown());
  assertEquals(server.clock.now(), 500);
  assertEquals(ends, [{ type: "timeout", which: "drain", ms: 500 }]);
});

Deno.test("Listener.close() closes immediately during drain()", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  await server.dial();
  const drained = server.listener.shutdown();
  await server.listener.close();
  await drained;
  assertEquals(server.clock.now(), 0);
  assertEquals(server.clock.timers, 0);
});

Deno.test(
  "Listener.close() drops queued data, waits for the handlers, and leaves nothing",
  { permissions },
  async () => {
    await using server = memoryServer({ capacity: 10 });
    const log: string[] = [];
    const served = server.listener.serve(async (peer) => {
      peer.send("x".repeat(99));
      const reason = await peer.closed;
      log.push(reason.type);
      await new Promise<void>((resolve) => server.clock.after(50, resolve));
      log.push("handler returned");
    });
    await server.dial();
    const closing = server.listener.close().then(() => log.push("closed"));
    await server.clock.runUntil(Promise.all([closing, served]));
    assertEquals(log, ["local", "handler returned", "closed"]);
    await server.listener.close();
  },
);

Deno.test(
  "Listener.close() does not hang when a connection is not served yet",
  { permissions },
  async () => {
    await using server = memoryServer();
    const peer = await server.dial();
    assertEquals(server.listener.stats().connections, 1);
    await server.listener.close();
    await server.clock.advance(0);
    assertEquals(await readText(peer), null);
  },
);

Deno.test(
  "Listener.shutdown() closes connections in slices within its time",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = startLineEcho(world, { timeouts: { drain: 100 } });
    const peers = [];
    for (let i = 0; i < 1000; i++) peers.push(await world.peer(server.port));
    await world.clock.runUntil(() => server.listener.stats().connections === 1000);
    const ends = peers.map((peer) => peer.hear);
    assertEquals(ends.length, 1000);
    for (const peer of peers) {
      void peer.connection[Symbol.asyncIterator]().next().then(() => peer.connection.close());
    }
    const drained = server.listener.shutdown();
    await world.clock.advance(0);
    assertEquals(server.listener.stats().connections, 800); // 5 slices in half of the time
    await world.clock.advance(10);
    assertEquals(server.listener.stats().connections, 600);
    await world.clock.runUntil(drained, { within: 100 });
    assertEquals(server.listener.stats().closed.local, 1000);
    assertEquals(world.clock.timers, 0);
  },
);

Deno.test(
  "Listener.shutdown() cuts off the connections that are open at its timeout",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = startLineEcho(world);
    const peer = await world.peer(server.port);
    await world.clock.runUntil(() => server.listener.stats().connections === 1);
    const drained = server.listener.shutdown({ within: 300 });
    await world.clock.advance(299);
    assertEquals(server.listener.stats().connections, 1);
    await world.clock.advance(1);
    await drained;
    assertEquals(server.reasons, [{ type: "timeout", which: "drain", ms: 300 }]);
    assertEquals(world.clock.timers, 0);
    peer.connection.abort();
  },
);
