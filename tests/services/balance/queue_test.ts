/** Clients that wait for a backend. */
import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { startBalance } from "../../../services/mod.ts";
import { connect, listen } from "../../../socket/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";
import { until } from "../../_util/until.ts";
import { at } from "../../_util/network/proxy_backend.ts";
import { startInMemory } from "../../_util/memory_balancer.ts";

Deno.test("startBalance() queues clients, and refuses them when the queue is full or the time is up", async () => {
  const { clock, network, backends, balancer, passed } = startInMemory(1, {
    limits: { maxPerBackend: 1, maxQueue: 2 },
    timeouts: { queue: 5000 },
  });
  const enter = async (line: string) => {
    const client = await clock.runUntil(connect({ port: balancer.port, clock, network }));
    client.send(line);
    return { client, lines: client[Symbol.asyncIterator]() };
  };
  const first = await enter("first");
  assertEquals((await clock.runUntil(first.lines.next())).value, "first");
  const second = await enter("second");
  const third = await enter("third");
  const fourth = await enter("fourth");
  assertEquals((await clock.runUntil(fourth.lines.next())).done, true);
  assertEquals([balancer.stats().queued, balancer.stats().refused], [2, 1]);

  await clock.advance(1000);
  await clock.runUntil(first.client.close());
  assertEquals((await clock.runUntil(second.lines.next())).value, "second");
  assertEquals(clock.now(), 1000);
  await clock.advance(10_000);
  assertEquals((await clock.runUntil(third.lines.next())).done, true);
  assertEquals(passed.map(({ reason }) => reason).slice(-1), [
    { type: "local", why: "No backend was available within 5000 ms" },
  ]);
  await clock.runUntil(Promise.all([second, third, fourth].map(({ client }) => client.close())));
  assertEquals(balancer.stats().queued, 0);
  await clock.runUntil(Promise.all([balancer.close(), ...backends.map((backend) => backend.close())]));
});

Deno.test("startBalance() closes immediately when clients are queued", async () => {
  const listener = listen();
  const { port } = listener;
  await listener.close();
  await using balancer = startBalance({ to: [at(port)], fall: 1, checkInterval: 60_000 });
  assertEquals(
    await Promise.race([exchange(balancer.port), until(() => balancer.stats().queued === 1)]),
    undefined,
  );
  await balancer.close();
  assertEquals(balancer.stats().queued, 0);
  assertGreater(balancer.stats().backends[0]!.failures, 0);
  await assertRejects(() => connect({ port: balancer.port }));
});

Deno.test("startBalance() removes a client from the queue when it is reset, and dials no backend for it", async () => {
  const { clock, network, backends, balancer, passed } = startInMemory(1, {
    limits: { maxPerBackend: 1, maxQueue: 3 },
    checkInterval: 1_000_000,
  });
  const enter = async (line: string) => {
    const client = await clock.runUntil(talk(balancer.port, { clock, network }));
    await clock.runUntil(client.send(line));
    return client;
  };
  const first = await enter("first\n");
  assertEquals(await clock.runUntil(first.upTo("first\n")), "first\n");
  const gone = [await enter(""), await enter("request\n"), await enter("half a ")];
  await clock.runUntil(gone[2]!.send("request\n"));
  await clock.runUntil(() => balancer.stats().queued === 3);
  for (const client of gone) client.connection.reset();
  await clock.runUntil(() => balancer.stats().queued === 0);
  const alive = await enter("alive\n");
  await clock.runUntil(() => balancer.stats().queued === 1);
  assertEquals(balancer.stats().refused, 0);
  await clock.runUntil(first.connection.close());
  assertEquals(await clock.runUntil(alive.upTo("alive\n")), "alive\n");
  assertEquals(backends[0]!.stats().accepted, 2);
  assertEquals(passed.slice(0, 3).map(({ backend, reason }) => [backend, reason.type]), [
    [undefined, "reset"],
    [undefined, "reset"],
    [undefined, "reset"],
  ]);
  await clock.runUntil(alive.connection.close());
  await clock.runUntil(Promise.all([balancer.close(), backends[0]!.close()]));
  assertEquals([clock.timers, network.stats().sockets], [0, 0]);
});

Deno.test("startBalance() closes immediately when a client in the queue has half-closed", async () => {
  const { clock, network, backends, balancer } = startInMemory(1, {});
  balancer.drainBackend(balancer.stats().backends[0]!.name);
  const client = await clock.runUntil(talk(balancer.port, { clock, network }));
  await clock.runUntil(client.send("request\n"));
  await clock.runUntil(client.connection.closeWrite());
  const [passing] = [...balancer.connections];
  await clock.runUntil(() => passing!.peerEnded);
  assertEquals(balancer.stats().queued, 1);
  const before = clock.now();
  await clock.runUntil(balancer.close());
  assertEquals([balancer.stats().queued, clock.now()], [0, before]);
  client.connection.abort();
  await clock.runUntil(backends[0]!.close());
});
