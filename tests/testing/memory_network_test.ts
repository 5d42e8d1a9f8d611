import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { readText, readToEnd, text, transportPair } from "../_util/network/transport_pair.ts";

const permissions = "none";

Deno.test("MemoryNetwork.connect() takes one round trip", { permissions }, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latency: 30 });
  using pair = await clock.runUntil(transportPair(network));
  assertEquals(clock.now(), 60);
  await pair.near.write(text("x"));
  await clock.runUntil(readText(pair.far));
  assertEquals(clock.now(), 90);
});

Deno.test("MemoryNetwork delivers in order for any latency", { permissions }, async () => {
  const clock = new VirtualClock();
  const drawn = [0, 0, 9, 5, 0, 7, 0, 1];
  const network = new MemoryNetwork({ clock, latency: () => drawn.shift() ?? 0 });
  using pair = await clock.runUntil(transportPair(network));
  for (const letter of "abcdef") await pair.near.write(text(letter));
  let got = "";
  await clock.runUntil((async () => {
    while (got.length < 6) got += await readText(pair.far, { size: 1 });
  })());
  assertEquals(got, "abcdef");
});

Deno.test("MemoryNetwork.bandwidth delays bytes one after another", { permissions }, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latency: 5, bandwidth: 10 });
  using pair = await clock.runUntil(transportPair(network));
  const start = clock.now();
  await pair.near.write(new Uint8Array(100));
  await pair.near.write(new Uint8Array(50));
  await pair.near.closeWrite();
  assertEquals(await clock.runUntil(readToEnd(pair.far)), 150);
  assertEquals(clock.now() - start, 5 + 150 / 10);
});

Deno.test(
  "MemoryNetwork.capacity limits unread bytes exactly",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock, capacity: 10 });
    using pair = await clock.runUntil(transportPair(network));
    assertEquals(await pair.near.write(new Uint8Array(8)), 8);
    assertEquals(await pair.near.write(new Uint8Array(8)), 2);
    let written = 0;
    const writing = pair.near.write(new Uint8Array(8)).then((count) => written = count);
    await clock.advance(1000);
    assertEquals(written, 0);
    assertEquals(await readText(pair.far, { size: 3 }), "\0\0\0");
    await clock.runUntil(writing);
    assertEquals(written, 3);
  },
);

Deno.test("MemoryNetwork.partition() delays everything until heal()", { permissions }, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latency: 1 });
  using pair = await clock.runUntil(transportPair(network));
  await pair.near.write(text("before "));
  network.partition((from) => from.port === pair.near.local.port);
  await pair.near.write(text("during"));
  await pair.near.closeWrite();
  let got = "";
  const reading = (async () => {
    for (let part; (part = await readText(pair.far)) !== null;) got += part;
  })();
  await clock.advance(60_000);
  assertEquals(got, "");
  // The other way is not cut.
  await pair.far.write(text("one-way"));
  assertEquals(await clock.runUntil(readText(pair.near)), "one-way");
  network.heal();
  await clock.runUntil(reading);
  assertEquals(got, "before during");
});

Deno.test("MemoryNetwork.connect() retries during a partition, and gives up as Linux does", {
  permissions,
}, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const listener = network.listen({ port: 7 });
  network.partition(() => true);
  await assertRejects(() => clock.runUntil(network.connect({ port: 7 })), Deno.errors.TimedOut);
  assertEquals(clock.now(), 127_000);

  const connecting = network.connect({ port: 7 });
  await clock.advance(2_000);
  network.heal();
  const socket = await clock.runUntil(connecting);
  assertEquals(clock.now(), 127_000 + 1_000 + 2_000);
  socket.close();
  listener.close();
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

Deno.test(
  "MemoryNetwork.connect() succeeds when a full backlog has room again",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock, backlog: 1 });
    const listener = network.listen({ port: 7 });
    const first = await clock.runUntil(network.connect({ port: 7 }));
    const connecting = network.connect({ port: 7 });
    await clock.advance(500);
    assertEquals(network.stats().queued, 1);
    const accepted = await listener.accept();
    const second = await clock.runUntil(connecting);
    assertEquals(clock.now(), 1_000);
    for (const each of [first, second, accepted, listener]) each.close();
    assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
  },
);

Deno.test(
  "MemoryNetwork.connect() rejects when its signal aborts, and leaves nothing",
  { permissions },
  async () => {
    for (const at of [5, 15]) { // before and after the listener has heard of it
      const clock = new VirtualClock();
      const network = new MemoryNetwork({ clock, latency: 10 });
      const listener = network.listen({ port: 7 });
      const giveUp = new AbortController();
      const reason = new TypeError("enough");
      clock.after(at, () => giveUp.abort(reason));
      const connecting = network.connect({ port: 7, signal: giveUp.signal });
      assertStrictEquals(await assertRejects(() => clock.runUntil(connecting)), reason);
      await clock.advance(1_000);
      assertEquals(network.stats().queued, at === 5 ? 0 : 1);
      if (at === 15) {
        const orphan = await listener.accept();
        await assertRejects(() => readText(orphan), Deno.errors.ConnectionReset);
        orphan.close();
      }
      listener.close();
      assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
      assertEquals(clock.timers, 0);
    }
  },
);

Deno.test(
  "MemoryNetwork.failAccept() fails the pending accept, and then the next ones",
  { permissions },
  async () => {
    const network = new MemoryNetwork();
    const listener = network.listen({ port: 7 });
    const accepting = listener.accept();
    const errors = [new Error("one"), new Error("two")];
    for (const error of errors) network.failAccept(error);
    assertStrictEquals(await assertRejects(() => accepting), errors[0]);
    assertStrictEquals(await assertRejects(() => listener.accept()), errors[1]);
    const near = await network.connect({ port: 7 });
    const far = await listener.accept();
    for (const each of [near, far, listener]) each.close();
  },
);

Deno.test("MemoryNetwork.failConnect() fails the next connect, once", { permissions }, async () => {
  const network = new MemoryNetwork();
  const listener = network.listen({ port: 7 });
  const error = new Error("scripted");
  network.failConnect(error);
  assertStrictEquals(await assertRejects(() => network.connect({ port: 7 })), error);
  (await network.connect({ port: 7 })).close();
  listener.close();
});

Deno.test("MemoryNetwork.from() dials from another address", { permissions }, async () => {
  const network = new MemoryNetwork();
  const listener = network.listen({ hostname: "10.0.0.1", port: 7 });
  const near = await network.from("10.0.0.2").connect({ hostname: "10.0.0.1", port: 7 });
  const far = await listener.accept();
  assertEquals(far.remote, { hostname: "10.0.0.2", port: near.local.port });
  assertEquals(far.local, { hostname: "10.0.0.1", port: 7 });
  for (const each of [near, far, listener]) each.close();
});

Deno.test(
  "MemoryNetwork.listen() distributes peers in turn when reusePort is set",
  { permissions },
  async () => {
    const network = new MemoryNetwork();
    const listeners = [1, 2].map(() => network.listen({ port: 7, reusePort: true }));
    const sockets = [];
    for (let i = 0; i < 6; i++) sockets.push(await network.connect({ port: 7 }));
    assertEquals(listeners.map((listener) => listener.queued), [3, 3]);
    for (const each of [...listeners, ...sockets]) each.close();
  },
);

Deno.test("MemoryNetwork.connect() has as many ports per target as Linux", { permissions }, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, backlog: Infinity });
  const listener = network.listen({ port: 7 });
  const ports = 60_999 - 32_768 + 1;
  const sockets = await clock.runUntil(
    Promise.all(Array.from({ length: ports }, () => network.connect({ port: 7 }))),
  );
  assertEquals(new Set(sockets.map((socket) => socket.local.port)).size, ports);
  const error = await assertRejects(() => network.connect({ port: 7 }), Deno.errors.AddrNotAvailable);
  assertEquals(Reflect.get(error, "code"), "EADDRNOTAVAIL");
  sockets[17]!.close();
  sockets.push(await clock.runUntil(network.connect({ port: 7 })));
  for (const each of [...sockets, listener]) each.close();
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

Deno.test("MemoryNetwork.stats() counts what is open", { permissions }, async () => {
  const network = new MemoryNetwork();
  const listener = network.listen({ port: 7 });
  const near = await network.connect({ port: 7 });
  assertEquals(network.stats(), { listeners: 1, sockets: 1, queued: 1 });
  const far = await listener.accept();
  assertEquals(network.stats(), { listeners: 1, sockets: 2, queued: 0 });
  near.close();
  far.close();
  far.close();
  listener.close();
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

Deno.test(
  "MemorySocket.reset() arrives after the data that was sent before it",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock, latency: 5 });
    using pair = await clock.runUntil(transportPair(network));
    await pair.near.write(text("last words"));
    pair.near.reset?.();
    await clock.advance(5);
    assertEquals(await readText(pair.far), "last words");
    const error = await assertRejects(() => pair.far.write(text("x")), Deno.errors.ConnectionReset);
    assertEquals(Reflect.get(error, "code"), "ECONNRESET");
    await assertRejects(() => pair.far.write(text("x")), Deno.errors.BrokenPipe);
    assertEquals(await readText(pair.far), null);
  },
);
