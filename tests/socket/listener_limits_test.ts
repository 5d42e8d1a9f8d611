import { assertEquals } from "@std/assert";
import { connect, listen } from "../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../testing/mod.ts";
import type { ListenLimits } from "../../socket/listener/options.ts";
import { pure } from "../_util/permissions.ts";

/** A listener in memory that keeps its connections open, and a function that connects to it. */
function start(limits: ListenLimits = {}) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const server = listen({ clock, network, limits, refusal: (why) => why });
  void server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const dial = () => clock.runUntil(connect({ port: server.port, clock, network }));
  const until = (holds: Parameters<typeof server.until>[0]) => clock.runUntil(server.until(holds));
  return { clock, server, dial, until };
}

Deno.test(
  "Listener.setLimits() refuses further connections, and closes none that is open",
  pure,
  async () => {
    const { clock, server, dial, until } = start();
    await dial();
    await dial();
    await until(({ connections }) => connections === 2);
    server.setLimits({ maxConnections: 1 });
    const third = await dial();
    assertEquals(await clock.runUntil(Array.fromAsync(third)), ["busy: 1 connection is open"]);
    assertEquals(server.stats().connections, 2);
    server.setLimits({ maxConnections: 3 });
    await dial();
    await until(({ connections }) => connections === 3);
    await clock.runUntil(server.close());
  },
);

Deno.test("Listener.setLimits() gives room to peers that wait for it", pure, async () => {
  const { clock, server, dial, until } = start({ maxConnections: 1, whenFull: "wait" });
  await dial();
  await dial();
  await until(({ connections, waiting }) => connections === 1 && waiting === 1);
  server.setLimits({ maxConnections: 2 });
  await until(({ connections, waiting }) => connections === 2 && waiting === 0);
  await clock.runUntil(server.close());
});

Deno.test("Listener.setLimits() counts connections per address that were open before", pure, async () => {
  const { clock, server, dial, until } = start();
  await dial();
  await until(({ connections }) => connections === 1);
  server.setLimits({ maxConnectionsPerIp: 1 });
  const second = await dial();
  assertEquals(await clock.runUntil(Array.fromAsync(second)), [
    "busy: 1 connection is open from this address",
  ]);
  assertEquals(server.stats().refusals["max-connections-per-ip"], 1);
  await clock.runUntil(server.close());
});

Deno.test("Listener.setLimits() changes the accept rate", pure, async () => {
  const { clock, server, dial, until } = start();
  server.setLimits({ maxAcceptRate: 1 });
  for (let peer = 0; peer < 3; peer++) await dial();
  await until(({ paced }) => paced > 0);
  server.setLimits({ maxAcceptRate: 0 });
  await until(({ connections }) => connections === 3);
  const { paced } = server.stats();
  await dial();
  await until(({ connections }) => connections === 4);
  assertEquals(server.stats().paced, paced);
  await clock.runUntil(server.close());
});

Deno.test(
  "Listener.setLimits() gives timeouts to connections that are accepted afterwards",
  pure,
  async () => {
    const { clock, server, dial, until } = start();
    const first = await dial();
    await until(({ connections }) => connections === 1);
    server.setLimits({}, { idle: 1000 });
    const second = await dial();
    await until(({ connections }) => connections === 2);
    await clock.advance(2000);
    await until(({ connections }) => connections === 1);
    assertEquals([first.open, server.stats().timeouts], [true, { idle: 1 }]);
    await clock.runUntil(second.close());
    await clock.runUntil(server.close());
  },
);

Deno.test(
  "listen() admits one of the peers that wait at several addresses when there is room for one",
  pure,
  async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const hostnames = ["127.0.0.1", "127.0.0.2"];
    const limits = { maxConnections: 1, whenFull: "wait" } as const;
    const server = listen({ network, clock, hostnames, port: 8000, limits });
    server.serve((peer) => peer.consume(() => {}));
    const dial = (hostname: string) => clock.runUntil(connect({ network, clock, hostname, port: 8000 }));
    const first = await dial(hostnames[0]!);
    await clock.runUntil(server.until(({ connections }) => connections === 1));
    for (const hostname of hostnames) await dial(hostname);
    await clock.runUntil(server.until(({ waiting }) => waiting === 2));
    await clock.runUntil(first.close());
    const { connections, waiting, refused } = await clock.runUntil(
      server.until((stats) => stats.connections + stats.refused >= 1 && stats.waiting <= 1),
    );
    assertEquals({ connections, waiting, refused }, { connections: 1, waiting: 1, refused: 0 });
    await clock.runUntil(server.close());
  },
);
