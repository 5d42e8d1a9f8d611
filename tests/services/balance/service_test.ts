import { assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import {
  type BalanceOptions,
  type Passed,
  startBalance,
  startEcho,
  startProxy,
} from "../../../services/mod.ts";
import {
  type CloseReason,
  connect,
  ConnectionClosedError,
  listen,
  type Network,
  type Transport,
} from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { systemError } from "../../../internal/os_errors.ts";
import { exchange, talk } from "../../_util/exchange.ts";
import { until } from "../../_util/until.ts";
import { on } from "../../_util/on_event.ts";

function at(port: number): { hostname: string; port: number } {
  return { hostname: "127.0.0.1", port };
}

/** Sends one line over a new connection, and returns the answer. */
async function echoOnce(port: number, line: string): Promise<string | undefined> {
  await using client = await connect({ port });
  client.send(line);
  return (await client[Symbol.asyncIterator]().next()).value;
}

/** Starts a balancer over echo services on ports 1, 2, … in memory, on a virtual clock. */
function startInMemory(count: number, options: Partial<BalanceOptions> = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const start = (port: number) => startEcho({ port, clock, network });
  const backends = Array.from({ length: count }, (_, index) => start(index + 1));
  const passed: Passed[] = [];
  const balancer = startBalance({
    to: backends.map(({ port }) => at(port)),
    clock,
    network,
    checkInterval: 1000,
    rise: 2,
    fall: 2,
    ...options,
    onEvent: (event) => {
      if (event.type === "passed") passed.push(event.passed);
      options.onEvent?.(event);
    },
  });
  return { clock, network, start, backends, balancer, passed };
}

Deno.test("startBalance() distributes connections by its policy", async () => {
  await using one = startEcho();
  await using two = startEcho();
  await using three = startEcho();
  const backends = [one, two, three];
  const to = backends.map(({ port }) => at(port));
  const shares = async (options: Partial<BalanceOptions>) => {
    const before = backends.map((backend) => backend.stats().messages);
    await using balancer = startBalance({ to, ...options });
    for (let index = 0; index < 30; index++) {
      assertEquals(await echoOnce(balancer.port, `${index}`), `${index}`);
    }
    return backends.map((backend, index) => backend.stats().messages - before[index]!);
  };
  assertEquals(await shares({}), [10, 10, 10]);
  assertEquals((await shares({ policy: "source" })).toSorted((a, b) => a - b), [0, 0, 30]);
  assertEquals(
    (await shares({ policy: "random", random: () => 0.4 })).reduce((sum, share) => sum + share),
    30,
  );
});

Deno.test("startBalance() chooses the less loaded backend with least-connections", async () => {
  await using one = startEcho();
  await using two = startEcho();
  await using balancer = startBalance({
    to: [one, two].map(({ port }) => at(port)),
    policy: "least-connections",
  });
  await using stays = await talk(balancer.port);
  await stays.send("x\n");
  await stays.upTo("x\n");
  for (let index = 0; index < 3; index++) {
    assertEquals(await echoOnce(balancer.port, "y"), "y");
    await until(() => balancer.stats().backends[1]!.open === 0);
  }
  assertEquals([one.stats().messages, two.stats().messages], [1, 3]);
});

Deno.test("startBalance() loses no request when a backend is killed and restarted under load", async () => {
  await using one = startEcho();
  await using two = startEcho();
  let three = startEcho();
  const { port } = three;
  await using balancer = startBalance({
    to: [one.port, two.port, port].map(at),
    checkInterval: 5,
    rise: 1,
    fall: 1,
  });
  const open = () => balancer.stats().backends[2]!;
  let served = 0;
  let cut = 0;
  let stop = false;
  const load = async (client: number) => {
    for (let index = 0; !stop; index++) {
      // Only a client whose request was at the killed backend may be cut off.
      const answer = await echoOnce(balancer.port, `${client} ${index}`).catch((error) => {
        if (!(error instanceof ConnectionClosedError)) throw error;
      });
      if (answer === undefined) cut++;
      else {
        assertEquals(answer, `${client} ${index}`);
        served++;
      }
    }
  };
  const clients = Array.from({ length: 20 }, (_, client) => load(client));
  await until(() => served > 100);
  assertEquals(cut, 0);
  const killedWith = three.stats().connections;
  await three.close();
  await until(() => !open().healthy);
  const dead = served;
  await until(() => served > dead + 100);
  // Clients of the killed backend, and connections in its kernel queue that it had not accepted.
  assertEquals(cut <= killedWith + clients.length, true, `${cut} cut off of ${killedWith}`);
  const cutWhileDead = cut;
  three = startEcho({ port });
  await until(() => open().healthy);
  await until(() => three.stats().messages > 20);
  assertEquals(cut, cutWhileDead);
  stop = true;
  await Promise.all(clients);
  await until(() => balancer.stats().backends.every((backend) => backend.open === 0));
  await three.close();
});

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

Deno.test("startBalance() gives a draining backend no new connections, and keeps its open ones", async () => {
  await using one = startEcho();
  await using two = startEcho();
  await using balancer = startBalance({ to: [one, two].map(({ port }) => at(port)) });
  await using stays = await talk(balancer.port);
  await stays.send("x\n");
  await stays.upTo("x\n");
  const name = `127.0.0.1:${one.port}`;
  balancer.drainBackend(name);
  for (let index = 0; index < 3; index++) assertEquals(await echoOnce(balancer.port, "y"), "y");
  assertEquals([one.stats().messages, two.stats().messages], [1, 3]);
  await stays.send("z\n");
  await stays.upTo("z\n");
  balancer.restoreBackend(name);
  for (let index = 0; index < 2; index++) assertEquals(await echoOnce(balancer.port, "y"), "y");
  assertEquals([one.stats().messages, two.stats().messages], [3, 4]);
  assertThrows(() => balancer.drainBackend("nobody"), RangeError, name);
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

Deno.test("startBalance() reports the error of a policy that throws", async () => {
  const error = new RangeError("No chance");
  const ends: CloseReason[] = [];
  await using balance = startBalance({
    to: [at(1), at(2)],
    policy: "random",
    random() {
      throw error;
    },
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
  });
  assertEquals(await exchange(balance.port, "x").catch(() => ""), "");
  await until(() => ends.length === 1);
  assertEquals(ends, [{ type: "handler-failed", error }]);
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

Deno.test("startBalance() closes all connections when onEvent throws", async () => {
  const mistake = new RangeError("broken");
  const dials: PromiseWithResolvers<Transport>[] = [];
  const { clock, network, backends, balancer, passed } = startInMemory(1, {
    rise: 1,
    fall: 1,
    backendNetwork: {
      listen: (options) => network.listen(options),
      connect: () => {
        const dial = Promise.withResolvers<Transport>();
        dials.push(dial);
        return dial.promise;
      },
    },
    onEvent: on("health", ({ healthy }) => {
      if (healthy) throw mistake;
    }),
  });
  const client = await clock.runUntil(connect({ port: balancer.port, clock, network }));
  await clock.advance(1000);
  const [ofClient, ofCheck] = dials;
  ofCheck!.reject(new Error("no"));
  await clock.advance(0);
  assertEquals(balancer.stats().backends[0]!.healthy, false);
  ofClient!.resolve(await clock.runUntil(network.connect({ port: backends[0]!.port })));
  await clock.advance(0);
  assertEquals(passed.map(({ reason }) => reason), [{ type: "handler-failed", error: mistake }]);
  assertEquals(balancer.stats().backends[0]!.open, 0);
  client.abort();
  await clock.runUntil(Promise.all([balancer.close(), ...backends.map((backend) => backend.close())]));
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
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
