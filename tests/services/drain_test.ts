/** Draining of every service that consists of a listener and a handler. */
import { assertEquals } from "@std/assert";
import {
  type BalanceEvent,
  type Service,
  type ServiceOptions,
  startBalance,
  startChat,
  startEcho,
  startHello,
  startHttp,
  startProxy,
} from "../../services/mod.ts";
import { type Address, type CloseReason, type ListenerStats } from "../../socket/mod.ts";
import { VirtualClock } from "../../testing/mod.ts";
import { stagger } from "../../internal/stagger.ts";
import { Draining } from "../../services/draining.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";

Deno.test("ListenerService.shutdown() ends connections a slice at a time, and all within half its time", {
  permissions,
}, async () => {
  const world = new Simulation();
  const server = startEcho({ ...world.seam, timeouts: { drain: 100 } });
  const peers = [];
  for (let i = 0; i < 1000; i++) peers.push(await world.peer(server.port));
  await world.clock.runUntil(server.until(({ connections }) => connections === 1000));
  const told = peers.map(async (peer) => {
    const line = await peer.connection[Symbol.asyncIterator]().next();
    await peer.connection.close();
    return line.value;
  });
  const drained = server.shutdown();
  await world.clock.advance(0);
  assertEquals(server.stats().connections, 800); // 5 slices
  await world.clock.advance(10);
  assertEquals(server.stats().connections, 600);
  await world.clock.runUntil(drained, { within: 40 });
  assertEquals(new Set(await Promise.all(told)), new Set(["error server is draining"]));
  assertEquals([server.stats().closed.local, server.stats().timeouts, world.clock.timers], [1000, {}, 0]);
});

Deno.test(
  "Draining.end() does not end a connection that has finished in the meantime",
  { permissions },
  async () => {
    const clock = new VirtualClock();
    const draining = new Draining<{ readonly id: number }>();
    const ended: number[] = [];
    const peers = Array.from({ length: 250 }, (_, id) => ({ id }));
    const waits = peers.map((peer) => draining.whenBegun(peer, () => ended.push(peer.id)));
    draining.begin();
    assertEquals(ended, []);
    const timer = stagger(peers, { clock, ms: 1000, each: (peer) => draining.end(peer) });
    assertEquals(ended.length, 100);
    waits[150]![Symbol.dispose]();
    await clock.advance(10);
    assertEquals([ended.length, ended.includes(150)], [199, false]);
    timer.cancel();
    await clock.advance(1000);
    assertEquals(ended.length, 199);
  },
);

Deno.test(
  "ListenerService.shutdown() sends its line also to a peer that is admitted during the drain",
  { permissions },
  async () => {
    const world = new Simulation();
    const shaken = Promise.withResolvers<void>();
    const server = startEcho({
      ...world.seam,
      network: {
        connect: (options) => world.network.connect(options),
        listen: (options) => {
          const listener = world.network.listen(options);
          const accept = listener.accept.bind(listener);
          // As over TLS: the peer is served when its handshake is done.
          return Object.assign(listener, {
            accept: async () => Object.assign(await accept(), { ready: shaken.promise }),
          });
        },
      },
    });
    const peer = await world.peer(server.port);
    await world.clock.runUntil(server.until(({ connections }) => connections === 1));
    const drained = server.shutdown();
    await world.clock.advance(0);
    shaken.resolve();
    assertEquals(await peer.hear(), "error server is draining");
    await world.clock.runUntil(Promise.all([peer.connection.close(), drained]));
  },
);

/** Options that fit every service. */
type SharedOptions = Omit<ServiceOptions, "onEvent"> & { onEvent: (event: BalanceEvent) => void };

const STARTS: Readonly<Record<string, (options: SharedOptions, to: Address) => Service<ListenerStats>>> = {
  startEcho: (options) => startEcho(options),
  startChat: (options) => startChat(options),
  startHello: (options) => startHello({ ...options, delay: 10_000 }),
  startHttp: (options) => startHttp(options),
  startProxy: (options, to) => startProxy({ ...options, to }),
  startBalance: (options, to) => startBalance({ ...options, to: [to] }),
};

for (const [name, start] of Object.entries(STARTS)) {
  Deno.test(`${name}() cuts off and reports the connections that are open at the drain timeout`, {
    permissions,
  }, async () => {
    const world = new Simulation();
    const backend = startEcho(world.seam);
    const to = { hostname: "127.0.0.1", port: backend.port };
    const ends: CloseReason[] = [];
    const onEvent = on<BalanceEvent, "closed">("closed", ({ reason }) => ends.push(reason));
    const server = start({ ...world.seam, timeouts: { drain: 500 }, onEvent }, to);
    const peer = await world.clock.runUntil(world.network.connect({ port: server.port }));
    await peer.write(new TextEncoder().encode("GET")); // and no more of it
    await world.clock.advance(10);
    const drained = server.shutdown();
    await world.clock.advance(499);
    assertEquals(ends, []);
    await world.clock.runUntil(drained, { within: 1 });
    assertEquals(ends, [{ type: "timeout", which: "drain", ms: 500 }]);
    assertEquals(server.stats().timeouts, { drain: 1 });
    peer.close();
    await world.clock.runUntil(backend.close());
    assertEquals(world.clock.timers, 0);
  });
}
