/** Binding and accepting of a listener, and failures of both. */
import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { CloseReason } from "../../../socket/errors.ts";
import { type LineListenOptions, listen } from "../../../socket/listen.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { systemError } from "../../../internal/os_errors.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { echo, memoryServer } from "../../_util/programs/memory_server.ts";
import { readText, text } from "../../_util/network/transport_pair.ts";
import { on } from "../../_util/on_event.ts";
import { startLineEcho } from "../../_util/network/line_echo.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";

const permissions = "none";

function outOfDescriptors(): Error {
  return systemError(new Error("Too many open files (os error 24)"), "EMFILE");
}

/** Starts a server on which one hook throws at its second call. */
function serverWithBrokenHook(
  hook: "mayConnect" | "refusal" | "refused" | "closed",
  options: { onError?: (error: Error) => void; limits?: { maxConnections: number } } = {},
) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  let calls = 0;
  const broken = () => {
    if (++calls === 2) throw new RangeError("broken hook");
    return hook === "refusal" ? "busy" : true;
  };
  const hooks: LineListenOptions = {
    ...(hook === "mayConnect" && { access: { mayConnect: () => broken() === true } }),
    ...(hook === "refusal" && { refusal: () => `${broken()}` }),
    onEvent: (event) => {
      if (event.type === hook) broken();
    },
  };
  const listener = listen({ network, clock, ...options, ...hooks });
  const dial = () => clock.runUntil(network.connect({ port: listener.port }));
  return { clock, network, listener, dial };
}

Deno.test("Listener.access.mayConnect refuses only the peer for which it throws, and reports the error", {
  permissions,
}, async () => {
  const errors: Error[] = [];
  const { clock, network, listener, dial } = serverWithBrokenHook("mayConnect", {
    onError: (error) => errors.push(error),
  });
  const served = listener.serve(echo);
  const first = await dial();
  await clock.runUntil(listener.until((stats) => stats.connections === 1));
  const second = await dial();
  await clock.runUntil(listener.until((stats) => stats.refused === 1));
  assertEquals(await clock.runUntil(second.read(new Uint8Array(1))), null);
  const third = await dial();
  const { refusals } = await clock.runUntil(listener.until((stats) => stats.connections === 2));
  assertEquals(refusals.address, 1);
  assertEquals(errors.map(({ message }) => message), ["broken hook"]);
  for (const peer of [first, second, third]) peer.close();
  await clock.runUntil(listener.until((stats) => stats.connections === 0));
  await clock.runUntil(listener.close());
  await served;
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

for (const hook of ["refused", "refusal"] as const) {
  Deno.test(
    `Listener.${
      hook === "refusal" ? hook : "onEvent"
    } affects no other peer when it throws, and the error is reported`,
    {
      permissions,
    },
    async () => {
      const errors: Error[] = [];
      const { clock, network, listener, dial } = serverWithBrokenHook(hook, {
        limits: { maxConnections: 1 },
        onError: (error) => errors.push(error),
      });
      void listener.serve(echo);
      const first = await dial();
      await clock.runUntil(listener.until((stats) => stats.connections === 1));
      const refused = [await dial(), await dial(), await dial()];
      await clock.runUntil(listener.until((stats) => stats.refused === 3));
      assertEquals(listener.stats().connections, 1);
      assertEquals(errors.map(({ message }) => message), ["broken hook"]);
      for (const peer of [first, ...refused]) peer.close();
      await clock.runUntil(listener.close());
      assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
    },
  );
}

for (const hook of ["mayConnect", "closed"] as const) {
  Deno.test(
    `Listener.finished rejects with an error of ${
      hook === "closed" ? "onEvent" : hook
    } once everything is closed, without onError`,
    { permissions },
    async () => {
      const { clock, network, listener, dial } = serverWithBrokenHook(hook);
      const served = assertRejects(() => listener.serve(echo), RangeError, "broken hook");
      const peers = [await dial(), await dial(), await dial()];
      await clock.runUntil(listener.until((stats) => stats.accepted === 3));
      for (const peer of peers) peer.close();
      await clock.runUntil(listener.until((stats) => stats.connections === 0));
      await clock.runUntil(assertRejects(() => listener.close(), RangeError, "broken hook"));
      await served;
      assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
    },
  );
}

Deno.test("Listener keeps accepting when onEvent throws for a shortage of descriptors", {
  permissions,
}, async () => {
  const errors: unknown[] = [];
  await using server = memoryServer({
    onEvent: on("exhausted", () => {
      throw new RangeError("broken hook");
    }),
    onError: (error, connection) => errors.push(error.message, connection),
  });
  void server.listener.serve(echo);
  server.network.failAccept(outOfDescriptors());
  await server.listener.until((stats) => stats.outOfDescriptors === 1);
  await server.dial();
  await server.clock.advance(100);
  assertEquals(server.listener.stats().accepted, 1);
  assertEquals(errors, ["broken hook", undefined]);
});

Deno.test("Listener keeps accepting after a transient error", { permissions }, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  const codes = ["ECONNABORTED", "ECONNRESET", "EPROTO", "ENETDOWN", "EHOSTUNREACH", "ETIMEDOUT", "EINTR"];
  for (const [i, code] of codes.entries()) {
    server.network.failAccept(systemError(new Error(code), code));
    await server.listener.until((stats) => stats.transientErrors === i + 1);
  }
  await server.dial();
  assertEquals(server.listener.stats().accepted, 1);
  assertEquals(server.clock.now(), 0);
});

Deno.test("Listener backs off when out of descriptors, serves what it has, and accepts again", {
  permissions,
}, async () => {
  await using server = memoryServer();
  void server.listener.serve(echo);
  const one = await server.dial();
  server.network.failAccept(outOfDescriptors());
  server.network.failAccept(outOfDescriptors());
  const two = await server.dial();
  assertEquals(server.listener.stats().outOfDescriptors, 1);
  await one.write(text("served\n"));
  await server.clock.advance(0);
  assertEquals(await readText(one), "served\n");
  await server.clock.advance(99);
  assertEquals(server.listener.stats().outOfDescriptors, 1);
  await server.clock.advance(1);
  assertEquals(server.listener.stats().outOfDescriptors, 2);
  assertEquals(server.network.stats().queued, 1);
  await server.clock.advance(100);
  assertEquals(server.listener.stats().accepted, 2);
  await two.write(text("at last\n"));
  await server.clock.advance(0);
  assertEquals(await readText(two), "at last\n");
  assertEquals(server.clock.timers, 0);
});

Deno.test(
  "Listener.close() does not wait and leaves no timer during a back-off",
  { permissions },
  async () => {
    await using server = memoryServer();
    void server.listener.serve(echo);
    await server.clock.advance(0);
    server.network.failAccept(outOfDescriptors());
    await server.listener.until((stats) => stats.outOfDescriptors === 1);
    await server.listener.close();
    assertEquals(server.clock.now(), 0);
    assertEquals(server.clock.timers, 0);
  },
);

Deno.test(
  "Listener.finished rejects when accepting fails permanently, with everything closed",
  { permissions },
  async () => {
    const ends: CloseReason[] = [];
    const server = memoryServer({
      hostnames: ["127.0.0.1", "127.0.0.2"],
      onEvent: on("closed", ({ reason }) => ends.push(reason)),
    });
    const served = server.listener.serve(echo);
    const peer = await server.dial();
    const error = systemError(new Error("Bad file descriptor"), "EBADF");
    const failed = assertRejects(() => served);
    server.network.failAccept(error);
    assertStrictEquals(await failed, error);
    assertEquals(ends, [{ type: "local", why: "accepting failed" }]);
    await server.clock.advance(0);
    assertEquals(await readText(peer), null);
    peer.close();
    assertEquals(server.network.stats(), { listeners: 0, sockets: 0, queued: 0 });
    await assertRejects(() => server.listener.close(), Error, "Bad file descriptor");
  },
);

Deno.test("listen() binds every hostname on one port, or none", { permissions }, async () => {
  const network = new MemoryNetwork({ clock: new VirtualClock() });
  const listener = listen({ network, hostnames: ["127.0.0.1", "127.0.0.2"], tryHostnames: ["::1"] });
  assertEquals(listener.addresses, [
    { hostname: "127.0.0.1", port: listener.port },
    { hostname: "127.0.0.2", port: listener.port },
    { hostname: "::1", port: listener.port },
  ]);
  await listener.close();

  const taken = network.listen({ hostname: "127.0.0.2", port: 7 });
  assertThrows(
    () => listen({ network, hostnames: ["127.0.0.1", "127.0.0.2"], port: 7 }),
    Deno.errors.AddrInUse,
  );
  assertEquals(network.stats().listeners, 1);
  taken.close();
});

Deno.test(
  "listen() tolerates a missing optional address, but not when all are missing",
  { permissions },
  async () => {
    const network = new MemoryNetwork({ clock: new VirtualClock() });
    const taken = network.listen({ hostname: "::1", port: 7 });
    const left: unknown[] = [];
    const listener = listen({
      network,
      tryHostnames: ["::1"],
      port: 7,
      onEvent: on("not-bound", ({ hostname, cause }) => {
        left.push(hostname, cause instanceof Deno.errors.AddrInUse);
      }),
    });
    assertEquals(listener.addresses, [{ hostname: "127.0.0.1", port: 7 }]);
    assertEquals(left, ["::1", true]);
    await listener.close();
    assertThrows(
      () => listen({ network, hostnames: [], tryHostnames: ["::1"], port: 7 }),
      Deno.errors.AddrInUse,
    );
    assertThrows(() => listen({ network, hostnames: [] }), TypeError, "no address to bind");
    taken.close();
  },
);

Deno.test("listen() throws for an invalid limit before it binds", { permissions }, () => {
  const network = new MemoryNetwork({ clock: new VirtualClock() });
  assertThrows(() => listen({ network, limits: { maxLine: 0 } }), RangeError, "limits.maxLine 0");
  assertEquals(network.stats().listeners, 0);
});

Deno.test("Listener keeps accepting when a peer resets before it is accepted", { permissions }, async () => {
  const world = new Simulation();
  await using server = startLineEcho(world);
  const gone = new Deno.errors.NotConnected("Transport endpoint is not connected (os error 107)");
  world.network.failAccept(Object.assign(gone, { code: "ENOTCONN" }));
  const peer = await world.peer(server.port);
  peer.say("hello");
  assertEquals(await peer.hear(), "hello");
  assertEquals(server.listener.stats().transientErrors, 1);
  peer.connection.abort();
});

Deno.test(
  "Listener.onEvent reports a shortage of descriptors once, and its end once",
  { permissions },
  async () => {
    const world = new Simulation();
    const reported: boolean[] = [];
    await using server = startLineEcho(world, {
      onEvent: ({ type }) => {
        if (type === "exhausted" || type === "recovered") reported.push(type === "exhausted");
      },
    });
    const first = await world.peer(server.port);
    const full = () => Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
    for (let i = 0; i < 3; i++) world.network.failAccept(full());
    await world.clock.runUntil(server.listener.until((stats) => stats.outOfDescriptors === 3));
    assertEquals(reported, [true]);
    first.say("still here"); // those it has are served
    assertEquals(await first.hear(), "still here");
    const second = await world.peer(server.port);
    second.say("again");
    assertEquals(await second.hear(), "again");
    await world.clock.advance(4900);
    world.network.failAccept(full()); // At the limit one place comes free now and then: nothing new.
    const third = await world.peer(server.port);
    await world.clock.advance(4999);
    const fourth = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(reported, [true]);
    await world.clock.advance(1);
    const fifth = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(reported, [true, false]);
    world.network.failAccept(full());
    const sixth = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(reported, [true, false, true]);
    for (const peer of [first, second, third, fourth, fifth, sixth]) peer.connection.abort();
  },
);
