/** Ends of a proxied connection that only one side sees, on a network whose sockets can reset. */
import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { type Passed, startEcho, startProxy } from "../../../services/mod.ts";
import type { Network, Transport } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { talk } from "../../_util/network/exchange.ts";
import { on } from "../../_util/on_event.ts";
import { at } from "../../_util/network/proxy_backend.ts";
import { text } from "../../_util/network/transport_pair.ts";

/** Starts a proxy in memory with one client. The test has the far ends of both connections. */
async function startBetween(timeouts: { idle?: number } = {}) {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock }) };
  const backend = seam.network.listen({ port: 7 });
  const passed: Passed[] = [];
  const proxy = startProxy({
    ...seam,
    timeouts,
    to: at(7),
    onEvent: on("passed", ({ passed: one }) => void passed.push(one)),
  });
  const client = await clock.runUntil(talk(proxy.port, seam));
  const accepted = await clock.runUntil(backend.accept());
  const received = accepted.read(new Uint8Array(100));
  await clock.runUntil(client.send("x"));
  assertEquals(await clock.runUntil(received), 1);
  return {
    clock,
    proxy,
    client,
    accepted,
    reason: () => clock.runUntil(() => passed.length === 1).then(() => passed[0]!.reason),
    async end() {
      await clock.runUntil(Promise.all([client.connection.close(), proxy.close()]));
      backend.close();
      assertEquals([clock.timers, seam.network.stats().sockets], [0, 0]);
    },
  };
}

async function writeUntilFailure(transport: Transport, clock: VirtualClock): Promise<never> {
  for (;;) {
    await clock.runUntil(transport.write(new Uint8Array(1)));
    await clock.advance(1);
  }
}

Deno.test("startProxy() resets the client when the backend is reset", async () => {
  const { clock, client, accepted, reason, end } = await startBetween();
  accepted.reset?.();
  assertEquals(await clock.runUntil(client.rest()), "");
  assertEquals((await clock.runUntil(client.connection.closed)).type, "reset");
  assertEquals(await reason(), { type: "local", why: "other side was reset" });
  await end();
});

Deno.test("startProxy() resets the backend when the client is reset", async () => {
  const { clock, client, accepted, reason, end } = await startBetween();
  client.connection.reset();
  await assertRejects(() => clock.runUntil(accepted.read(new Uint8Array(1))), Deno.errors.ConnectionReset);
  assertEquals((await reason()).type, "reset");
  accepted.close();
  await end();
});

Deno.test("startProxy() closes a backend that has received everything when the client is reset", async () => {
  const { clock, client, accepted, end } = await startBetween();
  await clock.runUntil(client.connection.closeWrite());
  assertEquals(await clock.runUntil(accepted.read(new Uint8Array(1))), null);
  client.connection.reset();
  // Only a write notices a reset after a FIN, here and in the proxy.
  await assertRejects(() => writeUntilFailure(accepted, clock), Deno.errors.BrokenPipe);
  accepted.close();
  await end();
});

Deno.test("startProxy() closes when a client has finished and its backend says nothing", async () => {
  const { clock, proxy, client, accepted, end } = await startBetween();
  await clock.runUntil(client.connection.closeWrite());
  assertEquals(await clock.runUntil(accepted.read(new Uint8Array(1))), null);
  await clock.runUntil(proxy.close());
  accepted.close();
  await end();
});

Deno.test("startProxy() resets a backend that has not received everything when the client is reset after its FIN", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, capacity: 4 });
  const backend = network.listen({ port: 7 });
  const dialed = Promise.withResolvers<void>();
  const backendNetwork: Network = {
    listen: (options) => network.listen(options),
    connect: (options) => dialed.promise.then(() => network.connect(options)),
  };
  const proxy = startProxy({ clock, network, to: at(7), backendNetwork });
  const client = await clock.runUntil(network.connect({ port: proxy.port }));
  for (const piece of ["hell", "o wo", "rld"]) await clock.runUntil(client.write(text(piece)));
  await clock.runUntil(client.closeWrite());
  await clock.advance(1);
  dialed.resolve();
  const accepted = await clock.runUntil(backend.accept());
  await clock.advance(1);
  client.reset!();
  await assertRejects(() => writeUntilFailure(accepted, clock), Deno.errors.ConnectionReset);
  accepted.close();
  await clock.runUntil(proxy.close());
  backend.close();
  assertEquals([clock.timers, network.stats().sockets], [0, 0]);
});

Deno.test("startProxy() resets both sides at the idle timeout", async () => {
  const { clock, client, accepted, end } = await startBetween({ idle: 1000 });
  await assertRejects(() => clock.runUntil(accepted.read(new Uint8Array(1))), Deno.errors.ConnectionReset);
  assertEquals(await clock.runUntil(client.rest()), "");
  assertEquals((await clock.runUntil(client.connection.closed)).type, "reset");
  accepted.close();
  await end();
});

Deno.test("startProxy() passes on everything that a client sends during the dial", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const seam = { clock, network };
  const dialed = Promise.withResolvers<void>();
  const backendNetwork: Network = {
    listen: (options) => network.listen(options),
    connect: (options) => dialed.promise.then(() => network.connect(options)),
  };
  const echo = startEcho({ ...seam, port: 7, limits: { maxLine: 1024 * 1024 } });
  const proxy = startProxy({ ...seam, to: at(7), backendNetwork });
  const client = await clock.runUntil(talk(proxy.port, seam));
  let sent = "";
  // Less and more than the proxy holds during the dial.
  for (const size of [1, 600, 5000, 20_000, 70_000]) {
    const piece = String.fromCharCode(97 + size % 26).repeat(size);
    sent += piece;
    client.connection.send(new TextEncoder().encode(piece));
    await clock.advance(1);
  }
  client.connection.send(new TextEncoder().encode("\n"));
  const finished = client.connection.closeWrite();
  dialed.resolve();
  await clock.runUntil(finished);
  assertEquals(await clock.runUntil(client.rest()), `${sent}\n`);
  await clock.runUntil(Promise.all([client.connection.close(), proxy.close(), echo.close()]));
  assertEquals([clock.timers, network.stats().sockets], [0, 0]);
});

Deno.test("startProxy() stops dialing when the client is reset", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const passed: Passed[] = [];
  const proxy = startProxy({
    ...{ clock, network, to: at(7) },
    connectAttempts: 1000,
    onEvent: on("passed", ({ passed: one }) => void passed.push(one)),
  });
  const client = await clock.runUntil(talk(proxy.port, { clock, network }));
  await clock.runUntil(client.send("x"));
  client.connection.reset();
  await clock.runUntil(() => passed.length === 1);
  assertLess(clock.now(), 1000);
  assertEquals(passed[0]!.reason.type, "reset");
  await clock.runUntil(proxy.close());
  assertEquals([clock.timers, network.stats().sockets], [0, 0]);
});
