/** Every limit of a listener, at the limit and one past it. */
import { assert, assertEquals } from "@std/assert";
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, describeCloseReason } from "../../socket/errors.ts";
import { type LineListenOptions, listen, type Listener } from "../../socket/listener.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";

/** Sends lines back, and tells a peer what it is refused or closed for. */
function startEcho(world: Simulation, options: Partial<LineListenOptions> = {}): Echo {
  return new Echo(world, options);
}

class Echo implements AsyncDisposable {
  readonly listener: Listener;
  readonly reasons: CloseReason[] = [];
  readonly #served: Promise<void>;

  constructor(world: Simulation, options: Partial<LineListenOptions>) {
    this.listener = listen({
      ...world.seam,
      refusal: (why) => `error ${why}`,
      farewell: (reason) => `error ${describeCloseReason(reason)}`,
      onEvent: on("closed", ({ reason }) => this.reasons.push(reason)),
      ...options,
    });
    this.#served = this.listener.serve((peer) => this.#echo(peer));
  }

  get port(): number {
    return this.listener.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
    await this.#served;
  }

  async #echo(peer: Connection): Promise<void> {
    for await (const line of peer) peer.send(line);
  }
}

Deno.test(
  "Listener refuses a peer over maxConnections with an error line, and accepts the next",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startEcho(world, { limits: { maxConnections: 2 } });
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
    await using server = startEcho(world, { limits: { maxConnections: 1 } });
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
  await using server = startEcho(world, { limits: { maxConnections: 2, whenFull: "wait" } });
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
  const server = startEcho(world, { limits: { maxConnections: 1, whenFull: "wait" } });
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
    await using server = startEcho(world, { limits: { maxConnectionsPerIp: 1 }, hostnames: ["127.0.0.1"] });
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
  await using server = startEcho(world, { access: { mayConnect: (address) => address !== "127.0.0.1" } });
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
    await using server = startEcho(world, { limits: { maxAcceptRate: 10 } });
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

Deno.test("Listener keeps accepting when a peer resets before it is accepted", { permissions }, async () => {
  const world = new Simulation();
  await using server = startEcho(world);
  const gone = new Deno.errors.NotConnected("Transport endpoint is not connected (os error 107)");
  world.network.failAccept(Object.assign(gone, { code: "ENOTCONN" }));
  const peer = await world.peer(server.port);
  peer.say("hello");
  assertEquals(await peer.hear(), "hello");
  assertEquals(server.listener.stats().transientErrors, 1);
  peer.connection.abort();
});

Deno.test(
  "Listener.onEvent reports a shortage of descriptors once, and its end once",
  { permissions },
  async () => {
    const world = new Simulation();
    const told: boolean[] = [];
    await using server = startEcho(world, {
      onEvent: ({ type }) => {
        if (type === "exhausted" || type === "recovered") told.push(type === "exhausted");
      },
    });
    const first = await world.peer(server.port);
    const full = () => Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
    for (let i = 0; i < 3; i++) world.network.failAccept(full());
    await world.clock.runUntil(server.listener.until((stats) => stats.outOfDescriptors === 3));
    assertEquals(told, [true]);
    first.say("still here"); // those it has are served
    assertEquals(await first.hear(), "still here");
    const second = await world.peer(server.port);
    second.say("again");
    assertEquals(await second.hear(), "again");
    await world.clock.advance(4900);
    world.network.failAccept(full()); // At the limit one place comes free now and then: nothing new.
    const third = await world.peer(server.port);
    await world.clock.advance(4999);
    const fourth = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(told, [true]);
    await world.clock.advance(1);
    const fifth = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(told, [true, false]);
    world.network.failAccept(full());
    const sixth = await world.peer(server.port);
    await world.clock.advance(0);
    assertEquals(told, [true, false, true]);
    for (const peer of [first, second, third, fourth, fifth, sixth]) peer.connection.abort();
  },
);

Deno.test(
  "Connection.timeouts.firstFrame closes only connections that send no frame, after an error line",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startEcho(world, { timeouts: { firstFrame: 1000 } });
    const [silent, dripping, quick] = [
      await world.peer(server.port),
      await world.clock.runUntil(world.network.connect({ port: server.port })),
      await world.peer(server.port),
    ];
    for (let i = 0; i < 9; i++) {
      await dripping.write(new Uint8Array([0x61])); // bytes do not reset it, only a line does
      await world.clock.advance(100);
    }
    quick.say("hello");
    assertEquals(await quick.hear(), "hello");
    await world.clock.advance(99);
    assertEquals(server.listener.stats().connections, 3);
    await world.clock.advance(1);
    assertEquals(await silent.hear(), "error timeout: first line for 1000 ms");
    await world.clock.advance(5000);
    assertEquals(server.listener.stats().connections, 1);
    const late: CloseReason = { type: "timeout", which: "first line", ms: 1000 };
    assertEquals(server.reasons, [late, late]);
    quick.connection.abort();
    silent.connection.abort();
    dripping.close();
  },
);

Deno.test(
  "Connection.timeouts.idle and firstFrame do not restart each other",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startEcho(world, { timeouts: { firstFrame: 1000, idle: 700 } });
    const socket = await world.clock.runUntil(world.network.connect({ port: server.port }));
    await world.clock.advance(600);
    await socket.write(new Uint8Array([0x61])); // not idle, but no line yet
    await world.clock.advance(399);
    assertEquals(server.listener.stats().connections, 1);
    await world.clock.advance(1001);
    assertEquals(server.reasons, [{ type: "timeout", which: "first line", ms: 1000 }]);
    socket.close();
  },
);

Deno.test(
  "Connection.timeouts.idle sends an error line, and closes a peer that has gone",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = startEcho(world, { timeouts: { idle: 1000 } });
    const peer = await world.peer(server.port);
    const gone = await world.clock.runUntil(world.network.connect({ port: server.port }));
    await world.clock.advance(999);
    assertEquals(server.listener.stats().connections, 2);
    await world.clock.advance(1);
    assertEquals(await peer.hear(), "error timeout: idle for 1000 ms");
    await world.clock.advance(1000); // no more patience than that with who does not answer
    assertEquals(server.listener.stats().connections, 0);
    const idle: CloseReason = { type: "timeout", which: "idle", ms: 1000 };
    assertEquals(server.reasons, [idle, idle]);
    peer.connection.abort();
    gone.close();
  },
);

Deno.test(
  "Connection.timeouts.write closes a peer that reads nothing, but not one that reads slowly",
  { permissions },
  async () => {
    const world = new Simulation();
    const reasons: CloseReason[] = [];
    await using server = listen({
      ...world.seam,
      timeouts: { write: 1000 },
      onEvent: on("closed", ({ reason }) => reasons.push(reason)),
    });
    const line = "x".repeat(200 * 1024); // more than the network holds
    const served = server.serve(async (peer) => {
      peer.send(line);
      await peer.closed;
    });
    const slow = await world.clock.runUntil(world.network.connect({ port: server.port }));
    const stuck = await world.clock.runUntil(world.network.connect({ port: server.port }));
    for (let i = 0; i < 5; i++) {
      await world.clock.advance(900);
      await slow.read(new Uint8Array(20 * 1024));
    }
    assertEquals(reasons, [{ type: "timeout", which: "write", ms: 1000 }]);
    await world.clock.advance(1000);
    assertEquals(reasons.length, 2); // it has stopped as well
    await server.close();
    await served;
    slow.close();
    stuck.close();
  },
);

Deno.test(
  "Listener.shutdown() closes connections in slices within its time",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = startEcho(world, { timeouts: { drain: 100 } });
    const peers = [];
    for (let i = 0; i < 1000; i++) peers.push(await world.peer(server.port));
    await world.clock.runUntil(() => server.listener.stats().connections === 1000);
    const ends = peers.map((peer) => peer.hear);
    assertEquals(ends.length, 1000);
    for (const peer of peers) {
      void peer.connection[Symbol.asyncIterator]().next().then(() => peer.connection.close());
    }
    const drained = server.listener.shutdown();
    await world.clock.advance(0);
    assertEquals(server.listener.stats().connections, 800); // 5 slices in half of the time
    await world.clock.advance(10);
    assertEquals(server.listener.stats().connections, 600);
    await world.clock.runUntil(drained, { within: 100 });
    assertEquals(server.listener.stats().closed.local, 1000);
    assertEquals(world.clock.timers, 0);
  },
);

Deno.test(
  "Listener.shutdown() cuts off the connections that are open at its timeout",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = startEcho(world);
    const peer = await world.peer(server.port);
    await world.clock.runUntil(() => server.listener.stats().connections === 1);
    const drained = server.listener.shutdown({ within: 300 });
    await world.clock.advance(299);
    assertEquals(server.listener.stats().connections, 1);
    await world.clock.advance(1);
    await drained;
    assertEquals(server.reasons, [{ type: "timeout", which: "drain", ms: 300 }]);
    assertEquals(world.clock.timers, 0);
    peer.connection.abort();
  },
);
