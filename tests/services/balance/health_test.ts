/** Health of the backends of a balancer. */
import { assertEquals, assertGreater } from "@std/assert";
import { type Passed, startBalance, startEcho, startProxy } from "../../../services/mod.ts";
import { connect, type Network, type Transport } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { systemError } from "../../../internal/os_errors.ts";
import { on } from "../../_util/on_event.ts";
import { at } from "../../_util/network/proxy_backend.ts";
import { startInMemory } from "../../_util/memory_balancer.ts";

Deno.test("startBalance() detects without clients that a backend is dead, and that it is healthy again", async () => {
  const told: unknown[] = [];
  const { clock, start, backends, balancer } = startInMemory(2, {
    onEvent: on("health", ({ backend: name, healthy }) => told.push([name, healthy])),
  });
  const healthy = () => balancer.stats().backends.map((backend) => backend.healthy);
  await clock.runUntil(backends[0]!.close());
  await clock.advance(1500);
  assertEquals(healthy(), [true, true]);
  await clock.advance(1000);
  assertEquals(healthy(), [false, true]);
  const back = start(1);
  await clock.advance(1000);
  assertEquals(healthy(), [false, true]);
  await clock.advance(1000);
  assertEquals(healthy(), [true, true]);
  assertEquals(told, [["127.0.0.1:1", false], ["127.0.0.1:1", true]]);
  await clock.runUntil(Promise.all([balancer.close(), back.close(), backends[1]!.close()]));
  assertEquals(clock.timers, 0);
});

Deno.test("startBalance() connects to the next backend immediately when one refuses", async () => {
  const { clock, network, backends, balancer } = startInMemory(3);
  await clock.runUntil(backends[0]!.close());
  const client = await clock.runUntil(connect({ port: balancer.port, clock, network }));
  client.send("hello");
  const lines = client[Symbol.asyncIterator]();
  assertEquals((await clock.runUntil(lines.next())).value, "hello");
  assertEquals(clock.now(), 0);
  assertEquals(balancer.stats().backends.map(({ failures, open }) => [failures, open]), [[1, 0], [0, 1], [
    0,
    0,
  ]]);
  await clock.runUntil(client.close());
  await clock.runUntil(Promise.all([balancer.close(), ...backends.map((backend) => backend.close())]));
});

Deno.test("startBalance() keeps backends healthy when it is out of descriptors itself", async () => {
  const full = systemError(new Error("Too many open files"), "EMFILE");
  let dial: Network["connect"] = () => Promise.reject(full);
  const { clock, network, backends, balancer } = startInMemory(1, {
    fall: 1,
    backendNetwork: {
      listen: (options) => network.listen(options),
      connect: (options) => dial(options),
    },
  });
  const client = await clock.runUntil(connect({ port: balancer.port, clock, network }));
  client.send("hello");
  await clock.advance(5000);
  assertEquals(balancer.stats().backends.map(({ healthy, failures }) => [healthy, failures]), [[true, 0]]);
  dial = (options) => network.connect(options);
  const lines = client[Symbol.asyncIterator]();
  assertEquals((await clock.runUntil(lines.next())).value, "hello");
  await clock.runUntil(client.close());
  await clock.runUntil(Promise.all([balancer.close(), ...backends.map((backend) => backend.close())]));
});

Deno.test("startBalance() starts a health check with a PROXY header when backends expect one", async () => {
  for (const version of [1, 2] as const) {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const seam = { clock, network };
    const echo = startEcho({ ...seam, port: 7 });
    // A backend that requires headers, and reports how each connection ended.
    const passed: Passed[] = [];
    const backend = startProxy({
      ...seam,
      ...{
        port: 8,
        to: at(7),
        proxyIn: ["127.0.0.1"],
        onEvent: on("passed", ({ passed: one }) => void passed.push(one)),
      },
    });
    const balancer = startBalance({ ...seam, to: [at(8)], proxyOut: version, checkInterval: 1000 });
    await clock.advance(3500);
    assertEquals(passed.map(({ reason }) => reason), Array(3).fill({ type: "natural" }));
    assertEquals(balancer.stats().backends[0]!.healthy, true);
    await clock.runUntil(Promise.all([balancer.close(), backend.close(), echo.close()]));
    assertEquals([clock.timers, network.stats().sockets], [0, 0]);
  }
});

Deno.test("startBalance() goes on checking when a backend never closes the connection", async () => {
  const { clock, network, balancer } = startInMemory(0, { to: [at(99)], checkInterval: 1000 });
  const silent = network.listen({ port: 99 });
  const checks: Transport[] = [];
  const accepting = (async () => {
    for (;;) checks.push(await silent.accept());
  })().catch(() => {});
  await clock.advance(10_000);
  assertGreater(checks.length, 4);
  assertEquals(balancer.stats().backends[0]!.healthy, true);
  await clock.runUntil(balancer.close());
  silent.close();
  await accepting;
  for (const check of checks) check.close();
});
