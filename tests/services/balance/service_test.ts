import { assertEquals, assertThrows } from "@std/assert";
import { type BalanceOptions, startBalance, startEcho } from "../../../services/mod.ts";
import { type CloseReason, connect, ConnectionClosedError, type Transport } from "../../../socket/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";
import { until } from "../../_util/until.ts";
import { on } from "../../_util/on_event.ts";
import { at } from "../../_util/network/proxy_backend.ts";
import { echoOnce, startInMemory } from "../../_util/memory_balancer.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

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
  const hostname = ownAddress();
  let three = startEcho({ hostnames: [hostname] });
  const { port } = three;
  await using balancer = startBalance({
    to: [at(one.port), at(two.port), { hostname, port }],
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
  three = startEcho({ hostnames: [hostname], port });
  await until(() => open().healthy);
  await until(() => three.stats().messages > 20);
  assertEquals(cut, cutWhileDead);
  stop = true;
  await Promise.all(clients);
  await until(() => balancer.stats().backends.every((backend) => backend.open === 0));
  await three.close();
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

Deno.test("startBalance() reports the error of a policy that throws", async () => {
  const error = new RangeError("No chance");
  const ends: CloseReason[] = [];
  const errors: Error[] = [];
  await using balance = startBalance({
    to: [at(1), at(2)],
    policy: "random",
    random() {
      throw error;
    },
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
    onError: (cause) => void errors.push(cause),
  });
  assertEquals(await exchange(balance.port, "x").catch(() => ""), "");
  await until(() => ends.length === 1);
  assertEquals(ends, [{ type: "handler-failed", error }]);
  assertEquals(errors, [error]);
});

Deno.test("startBalance() closes all connections when onEvent throws", async () => {
  const mistake = new RangeError("broken");
  const errors: Error[] = [];
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
    onError: (error) => void errors.push(error),
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
  assertEquals(errors, [mistake]);
  assertEquals(balancer.stats().backends[0]!.open, 0);
  client.abort();
  await clock.runUntil(Promise.all([balancer.close(), ...backends.map((backend) => backend.close())]));
  assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});
