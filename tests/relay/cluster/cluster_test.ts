// Relay servers in a cluster, simulated: connections and bus in memory, on a virtual clock.
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { MemoryBus, MemoryBusHub, type MemoryBusOptions } from "../../../relay/cluster/memory_bus.ts";
import type { RelayServer } from "../../../relay/server.ts";
import type { RelayServerOptions } from "../../../relay/server_options.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";
import { connect, type Connection } from "../../../socket/mod.ts";
import { pure } from "../../_util/permissions.ts";

interface TestNode {
  readonly server: RelayServer;
  readonly bus: MemoryBus;
}

/** A connection that keeps the lines it receives and answers none. */
class Peer {
  readonly connection: Connection;
  readonly lines: string[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    void this.#read();
  }

  async #read(): Promise<void> {
    for await (const lines of this.connection.batches()) this.lines.push(...lines);
  }
}

/** A simulated cluster of relays on ports 1, 2, and so on. */
class Cluster {
  readonly sim = new Simulation();
  readonly hub: MemoryBusHub;
  readonly nodes: TestNode[] = [];
  readonly #options: RelayServerOptions;

  constructor(options: RelayServerOptions = {}, bus: Partial<MemoryBusOptions> = {}) {
    this.#options = options;
    this.hub = new MemoryBusHub({ clock: this.sim.clock, random: this.sim.random, latency: 1, ...bus });
  }

  async start(count: number): Promise<void> {
    for (let index = 1; index <= count; index++) {
      const server = this.sim.relay({ port: index, ...this.#options });
      const bus = this.hub.join(`node-${index}`);
      await this.sim.clock.runUntil(server.join(bus));
      this.nodes.push({ server, bus });
    }
    await this.settle();
  }

  /** Lets announcements arrive. */
  async settle(): Promise<void> {
    await this.sim.clock.advance(100);
  }

  async peers(port: number, count: number): Promise<Peer[]> {
    const { clock, network } = this.sim;
    const dial = async () => new Peer(await connect({ port, clock, network }));
    return await clock.runUntil(Promise.all(Array.from({ length: count }, dial)));
  }

  /** Closes everything, after checking that nothing is left. */
  async end(): Promise<void> {
    const { clock, network } = this.sim;
    await this.settle();
    for (const { server } of this.nodes) {
      const { connections, pending, due, queuedBytes, timers } = server.stats();
      assertEquals({ connections, pending, due, queuedBytes, timers }, {
        connections: 0,
        pending: 0,
        due: 0,
        queuedBytes: 0,
        timers: 0,
      });
    }
    for (const { server } of this.nodes) await clock.runUntil(server.close());
    assertEquals(network.stats().sockets, 0);
  }
}

/** Runs clients that start within a second on each node, and returns how many were acknowledged, and their oks. */
async function runClients(
  cluster: Cluster,
  counts: readonly number[],
  options: { timeout?: number; during?: () => Promise<void> } = {},
): Promise<{ acknowledged: number; oks: Map<string, number> }> {
  const { sim } = cluster;
  const oks = new Map<string, number>();
  const runs: Promise<boolean>[] = [];
  counts.forEach((count, index) => {
    for (let client = 0; client < count; client++) {
      const text = `${index} ${client}`;
      const started = new Promise<void>((resolve) => sim.clock.after(sim.random() * 1000, resolve));
      runs.push(started.then(async () => {
        const result = await sim.client({
          port: index + 1,
          text,
          timeouts: { ack: options.timeout ?? 10_000 },
          replyDelay: { draw: () => 500, longest: 500 },
          observer: { acknowledged: (_, ok) => oks.set(ok, (oks.get(ok) ?? 0) + 1) },
        });
        return result.acknowledged;
      }));
    }
  });
  const all = Promise.all(runs);
  const results = await sim.clock.runUntil(
    options.during === undefined ? all : Promise.all([all, options.during()]).then(([results]) => results),
  );
  return { acknowledged: results.filter(Boolean).length, oks };
}

Deno.test("RelayServer.join() relays between nodes, and every node ends with nothing", pure, async () => {
  const cluster = new Cluster();
  await cluster.start(3);
  const { acknowledged, oks } = await runClients(cluster, [40, 20, 5]);
  assertEquals(acknowledged, 65);
  assertEquals([...oks.values()].filter((count) => count !== 1), []);
  assert(cluster.nodes[0]!.server.stats().bus!.linesOut > 10);
  await cluster.end();
});

Deno.test("RelayServer.join() chooses receivers uniformly over nodes of unequal size", pure, async () => {
  const cluster = new Cluster({ timeouts: { ack: 60_000 } });
  await cluster.start(3);
  const sizes = [5, 20, 75];
  const peers: Peer[][] = [];
  for (const [index, size] of sizes.entries()) peers.push(await cluster.peers(index + 1, size));
  await cluster.settle();
  const sent = 20_000;
  const senders = [peers[0]![0]!, peers[1]![0]!, peers[2]![0]!];
  for (let message = 0; message < sent; message++) {
    senders[message % 3]!.connection.send(`message ${message}`);
  }
  await cluster.settle();
  // Chi-square over all 100 connections: its 99.9th percentile with 99 degrees of freedom is 148.2.
  let chiSquare = 0;
  let received = 0;
  for (const peer of peers.flat()) {
    const count = peer.lines.length;
    received += count;
    chiSquare += (count - sent / 100) ** 2 / (sent / 100);
  }
  assertEquals(received, sent);
  assertLess(chiSquare, 148.2);
  for (const peer of peers.flat()) peer.connection.abort();
  await cluster.end();
});

Deno.test(
  "RelayServer.join() loses nothing and answers nothing twice over a bus that drops, doubles, and delays",
  pure,
  async () => {
    const cluster = new Cluster({ timeouts: { ack: 1000 } }, {
      faults: { drop: 0.1, duplicate: 0.1, delay: 0.1 },
    });
    await cluster.start(3);
    const { acknowledged, oks } = await runClients(cluster, [60, 60, 60], { timeout: 60_000 });
    assertEquals(acknowledged, 180);
    assertEquals([...oks.values()].filter((count) => count !== 1), []);
    await cluster.sim.clock.advance(10_000);
    await cluster.end();
  },
);

Deno.test("RelayServer.join() goes on locally without the bus, and heals", pure, async () => {
  const cluster = new Cluster({ timeouts: { ack: 1000 } });
  await cluster.start(2);
  const { clock } = cluster.sim;
  const { acknowledged, oks } = await runClients(cluster, [100, 100], {
    timeout: 60_000,
    during: async () => {
      await new Promise<void>((resolve) => clock.after(300, resolve));
      for (const { bus } of cluster.nodes) bus.cut();
      assertEquals(cluster.nodes.map(({ server }) => server.stats().nodes), [0, 0]);
      await new Promise<void>((resolve) => clock.after(500, resolve));
      for (const { bus } of cluster.nodes) bus.restore();
    },
  });
  assertEquals(acknowledged, 200);
  assertEquals([...oks.values()].filter((count) => count !== 1), []);
  assertEquals(cluster.nodes.map(({ server }) => server.stats().nodes), [1, 1]);
  await cluster.end();
});

Deno.test("RelayServer.join() redelivers the messages of a node that falls silent", pure, async () => {
  const cluster = new Cluster({ timeouts: { ack: 600_000 } });
  await cluster.start(2);
  const [sender] = await cluster.peers(1, 1);
  const holders = await cluster.peers(2, 200);
  await cluster.settle();
  for (let message = 0; message < 50; message++) sender!.connection.send(`message ${message}`);
  await cluster.settle();
  cluster.nodes[1]!.bus.silence();
  await cluster.sim.clock.advance(6000);
  assertEquals(cluster.nodes[0]!.server.stats().nodes, 0);
  assertEquals(sender!.lines.length, 50);
  for (let message = 0; message < 50; message++) sender!.connection.send(`ok ${message}`);
  await cluster.settle();
  assertEquals(cluster.nodes[0]!.server.stats().pending, 0);
  for (const peer of [sender!, ...holders]) peer.connection.abort();
  await cluster.settle();
  await cluster.end();
});

Deno.test("RelayServer.shutdown() gives messages of other nodes back", pure, async () => {
  const cluster = new Cluster({ timeouts: { ack: 600_000 } });
  await cluster.start(2);
  const [sender] = await cluster.peers(1, 1);
  const holders = await cluster.peers(2, 200);
  await cluster.settle();
  for (let message = 0; message < 50; message++) sender!.connection.send(`message ${message}`);
  await cluster.settle();
  const draining = cluster.nodes[1]!.server.shutdown();
  for (const holder of holders) void holder.connection.close();
  await cluster.sim.clock.runUntil(draining);
  await cluster.settle();
  assertEquals(sender!.lines.length, 50);
  assertEquals(cluster.nodes[0]!.server.stats().nodes, 0);
  sender!.connection.abort();
  await cluster.end();
});

Deno.test(
  "RelayServer.join() settles the same text on several nodes, once for each origin",
  pure,
  async () => {
    const cluster = new Cluster();
    await cluster.start(3);
    const peers: Peer[] = [];
    for (const port of [1, 2, 3]) peers.push(...await cluster.peers(port, 2));
    await cluster.settle();
    for (const peer of peers) peer.connection.send("message x");
    await cluster.settle();
    for (const peer of peers) peer.connection.send("ok x");
    await cluster.settle();
    for (const peer of peers) {
      const { lines } = peer;
      assertEquals(lines.filter((line) => line === "ok x"), ["ok x"]);
      peer.connection.abort();
    }
    await cluster.end();
  },
);

Deno.test("RelayServer.join() succeeds after an earlier call has failed", pure, async () => {
  const cluster = new Cluster();
  await cluster.start(1);
  const server = cluster.sim.relay({ port: 9 });
  const broken = cluster.hub.join("broken");
  broken.connect = () => Promise.reject(new Error("unreachable"));
  await assertRejects(() => server.join(broken), Error, "unreachable");
  assertEquals(server.stats().nodes, 0);
  await cluster.sim.clock.runUntil(server.join(cluster.hub.join("working")));
  await cluster.settle();
  assertEquals(server.stats().nodes, 1);
  await cluster.sim.clock.runUntil(server.close());
  await cluster.end();
});

Deno.test("RelayServer.join() rejects when the server is in a cluster already", pure, async () => {
  const cluster = new Cluster();
  await cluster.start(1);
  const { server } = cluster.nodes[0]!;
  let message = "";
  await server.join(cluster.hub.join("other")).catch((error: Error) => message = error.message);
  assertEquals(message, "Cannot join a cluster: the server is in one already");
  await cluster.end();
});
