/** Limits of a listener, at the limit and past it, and how each is counted and reported. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type ServiceOptions, startHello, startHttp } from "../../../services/mod.ts";
import { connect, type LineListenOptions, listen, type Listener, type Refusal } from "../../../socket/mod.ts";
import { until } from "../../_util/until.ts";
import { Simulation } from "../../_util/loadtest/simulation.ts";
import { on } from "../../_util/on_event.ts";
import { startLineEcho } from "../../_util/network/line_echo.ts";

const permissions = "none";

/** Accepts every peer, and ignores its lines. */
function serveLines(world: Simulation, options: LineListenOptions): Listener {
  const listener = listen({ ...world.seam, ...options });
  listener.serve(async (peer) => {
    for await (const _ of peer);
  }).catch(() => {}); // `closed` is looked at where it matters.
  return listener;
}

Deno.test(
  "Listener.stats() and onEvent report which limit refused a peer",
  { permissions },
  async () => {
    const world = new Simulation();
    const told: [string, Refusal["limit"]][] = [];
    await using server = serveLines(world, {
      limits: { maxConnections: 3, maxConnectionsPerIp: 2 },
      access: { mayConnect: (address) => address !== "10.0.0.9" },
      onEvent: on("refused", ({ remote: { hostname }, refusal: { limit } }) => told.push([hostname, limit])),
    });
    const peers = [];
    for (const from of ["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.9", "10.0.0.2", "10.0.0.3", "10.0.0.4"]) {
      peers.push(await world.clock.runUntil(world.network.from(from).connect({ port: server.port })));
      await world.clock.advance(0);
    }
    assertEquals(told, [
      ["10.0.0.1", "max-connections-per-ip"],
      ["10.0.0.9", "address"],
      ["10.0.0.3", "max-connections"],
      ["10.0.0.4", "max-connections"],
    ]);
    const { refused, refusals } = server.stats();
    assertEquals(refusals, { "max-connections": 2, "max-connections-per-ip": 1, "address": 1 });
    assertEquals(refused, 4);
    for (const peer of peers) peer.close();
    await world.clock.runUntil(server.close());
  },
);

Deno.test("Listener.finished rejects with the error of onEvent, and the peer is still refused", {
  permissions,
}, async () => {
  const world = new Simulation();
  const error = new RangeError("broken");
  const server = serveLines(world, {
    access: { mayConnect: () => false },
    refusal: (why, limit) => `${limit}: ${why}`,
    onEvent: on("refused", () => {
      throw error;
    }),
  });
  const peer = await world.peer(server.port);
  assertEquals(await peer.hear(), "address: not allowed from this address");
  peer.connection.abort();
  assertStrictEquals(await world.clock.runUntil(server.close().catch((cause) => cause)), error);
});

Deno.test("Listener.stats() counts timeouts by kind", { permissions }, async () => {
  const world = new Simulation();
  const server = serveLines(world, { timeouts: { firstFrame: 100, idle: 300, drain: 50 } });
  const [silent, once, faithful] = [
    await world.peer(server.port),
    await world.peer(server.port),
    await world.peer(server.port),
  ];
  once.say("hello");
  for (let time = 0; time < 600; time += 50) {
    faithful.say("and again");
    await world.clock.advance(50);
  }
  assertEquals(server.stats().timeouts, { "first line": 1, "idle": 1 });
  await world.clock.runUntil(server.shutdown());
  assertEquals(server.stats().timeouts, { "first line": 1, "idle": 1, "drain": 1 });
  assertEquals(server.stats().closed.timeout, 3);
  for (const peer of [silent, once, faithful]) peer.connection.abort();
});

Deno.test("Listener.stats() counts framing errors by code", { permissions }, async () => {
  const world = new Simulation();
  await using server = serveLines(world, { limits: { maxLine: 4 } });
  const say = async (bytes: readonly number[]) => {
    const peer = await world.clock.runUntil(world.network.connect({ port: server.port }));
    await peer.write(new Uint8Array(bytes));
    await peer.closeWrite();
    await world.clock.runUntil(server.until(({ connections }) => connections === 0));
    peer.close();
  };
  await say([1, 2, 3, 4, 5, 10]);
  await say([0xff, 10]);
  await say([1, 2, 3, 4, 5, 10]);
  await say([1]);
  assertEquals(server.stats().framingErrors, { "line-too-long": 2, "invalid-utf8": 1, "unterminated": 1 });
});

Deno.test("startHttp() and startHello() refuse clients with an HTTP response", async () => {
  for (const start of [startHttp, startHello]) {
    const answerOf = async (options: ServiceOptions) => {
      await using service = start(options);
      await using first = await connect({ port: service.port });
      await until(() => service.stats().accepted === 1);
      const response = await fetch(`http://127.0.0.1:${service.port}/`);
      const text = await response.text();
      first.abort();
      return [response.status, text];
    };
    assertEquals(await answerOf({ limits: { maxConnections: 1 } }), [503, "busy: 1 connection is open\n"]);
    assertEquals(await answerOf({ access: { mayConnect: () => false } }), [
      403,
      "not allowed from this address\n",
    ]);
  }
});

Deno.test(
  "Listener refuses a peer over maxConnections with an error line, and accepts the next",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, { limits: { maxConnections: 2 } });
    const [first, second] = [await world.peer(server.port), await world.peer(server.port)];
    const third = await world.peer(server.port);
    assertEquals(await third.hear(), "error busy: 2 connections are open");
    assertEquals(await third.hear(), undefined);
    await world.clock.runUntil(Promise.all([third.connection.close(), first.connection.close()]));
    await world.clock.runUntil(server.listener.until((stats) => stats.connections === 1));
    const fourth = await world.peer(server.port);
    fourth.say("in");
    assertEquals(await fourth.hear(), "in");
    const { refused, peakConnections } = server.listener.stats();
    assertEquals({ refused, peakConnections }, { refused: 1, peakConnections: 2 });
    for (const peer of [second, fourth]) peer.connection.abort();
  },
);

Deno.test(
  "Listener sends the reason to a limited number of refused peers in parallel, and closes the rest",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, { limits: { maxConnections: 1 } });
    const only = await world.peer(server.port);
    const peers = [];
    for (let i = 0; i < 300; i++) peers.push(await world.peer(server.port));
    const heard = [];
    for (const peer of peers) heard.push(await peer.hear());
    assertEquals(heard.filter((line) => line?.startsWith("error busy")).length, 256);
    assertEquals(heard.filter((line) => line === undefined).length, 44);
    assertEquals(server.listener.stats().refused, 300);
    for (const peer of [only, ...peers]) peer.connection.abort();
  },
);

Deno.test("Listener serves a queued peer when whenFull is wait and a connection has closed", {
  permissions,
}, async () => {
  const world = new Simulation();
  await using server = startLineEcho(world, { limits: { maxConnections: 2, whenFull: "wait" } });
  const [first, second] = [await world.peer(server.port), await world.peer(server.port)];
  const [third, fourth] = [await world.peer(server.port), await world.peer(server.port)];
  third.say("at last");
  fourth.say("me too");
  await world.clock.runUntil(server.listener.until((stats) => stats.waiting === 1));
  assertEquals(server.listener.stats().connections, 2);
  await world.clock.runUntil(first.connection.close());
  assertEquals(await third.hear(), "at last");
  assertEquals(server.listener.stats().waiting, 1); // the fourth
  await world.clock.runUntil(second.connection.close());
  assertEquals(await fourth.hear(), "me too");
  const { refused, peakConnections, waiting } = server.listener.stats();
  assertEquals({ refused, peakConnections, waiting }, { refused: 0, peakConnections: 2, waiting: 0 });
  for (const peer of [third, fourth]) peer.connection.abort();
});

Deno.test("Listener closes queued peers with it when whenFull is wait", { permissions }, async () => {
  const world = new Simulation();
  const server = startLineEcho(world, { limits: { maxConnections: 1, whenFull: "wait" } });
  const [first, second] = [await world.peer(server.port), await world.peer(server.port)];
  await world.clock.runUntil(server.listener.until((stats) => stats.waiting === 1));
  await world.clock.runUntil(server[Symbol.asyncDispose]());
  for (const peer of [first, second]) peer.connection.abort();
  assertEquals(world.network.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

Deno.test(
  "Listener.limits.maxConnectionsPerIp refuses only the address that exceeds it",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, {
      limits: { maxConnectionsPerIp: 1 },
      hostnames: ["127.0.0.1"],
    });
    const first = await world.peer(server.port);
    const second = await world.peer(server.port);
    assertEquals(await second.hear(), "error busy: 1 connection is open from this address");
    const elsewhere = world.network.from("10.0.0.1");
    const third = await world.clock.runUntil(elsewhere.connect({ port: server.port }));
    await world.clock.runUntil(server.listener.until((stats) => stats.connections === 2));
    third.close();
    for (const peer of [first, second]) peer.connection.abort();
  },
);

Deno.test("Listener.access.mayConnect refuses an address with an error line", { permissions }, async () => {
  const world = new Simulation();
  await using server = startLineEcho(world, { access: { mayConnect: (address) => address !== "127.0.0.1" } });
  const peer = await world.peer(server.port);
  assertEquals(await peer.hear(), "error not allowed from this address");
  assertEquals(await peer.hear(), undefined);
  peer.connection.abort();
  const friend = await world.clock.runUntil(world.network.from("10.0.0.1").connect({ port: server.port }));
  await world.clock.runUntil(server.listener.until((stats) => stats.connections === 1));
  assertEquals(server.listener.stats().refused, 1);
  friend.close();
});

Deno.test(
  "Listener.limits.maxAcceptRate accepts one second's worth immediately, and then that many per second",
  {
    permissions,
  },
  async () => {
    const world = new Simulation();
    await using server = startLineEcho(world, { limits: { maxAcceptRate: 10 } });
    const peers = [];
    for (let i = 0; i < 25; i++) peers.push(await world.peer(server.port)); // the kernel's queue takes them all
    await world.clock.advance(0);
    assertEquals(server.listener.stats().accepted, 10);
    await world.clock.advance(99);
    assertEquals(server.listener.stats().accepted, 10);
    await world.clock.advance(1);
    assertEquals(server.listener.stats().accepted, 11);
    await world.clock.advance(1400);
    assertEquals(server.listener.stats().accepted, 25);
    assert(server.listener.stats().paced >= 15);
    for (const peer of peers) peer.connection.abort();
  },
);
