import { assertEquals } from "@std/assert";
import type { CloseReason } from "../../socket/mod.ts";
import { Simulation } from "../_util/loadtest/simulation.ts";
import { on } from "../_util/on_event.ts";

const permissions = "none";

Deno.test("RelayServer delivers a message to a peer and returns its ok", { permissions }, async () => {
  const world = new Simulation();
  await using server = world.relay({ random: () => 0.99 }); // the last who joined
  const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
  await world.clock.runUntil(() => server.stats().active === 2);
  alice.say("message hello");
  assertEquals(await bob.hear(), "message hello");
  bob.say("ok hello");
  assertEquals(await alice.hear(), "ok hello");
  await world.clock.runUntil(Promise.all([alice.connection.close(), bob.connection.close()]));
  const { connections, pending, timers, queuedBytes, closed } = await world.clock.runUntil(
    server.until((stats) => stats.connections === 0),
  );
  assertEquals({ connections, pending, timers, queuedBytes }, {
    connections: 0,
    pending: 0,
    timers: 0,
    queuedBytes: 0,
  });
  assertEquals(closed.natural, 2);
});

Deno.test(
  "RelayServer redelivers after the ack timeout, with one timer for all",
  { permissions },
  async () => {
    const world = new Simulation();
    const draws = [0.99, 0.99, 0, 0];
    await using server = world.relay({ random: () => draws.shift() ?? 0, timeouts: { ack: 5000 } });
    const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
    await world.clock.runUntil(() => server.stats().active === 2);
    alice.say("message one");
    alice.say("message two");
    assertEquals([await bob.hear(), await bob.hear()], ["message one", "message two"]);
    const sentAt = world.clock.now();
    assertEquals(server.stats().timers, 1);
    assertEquals([await alice.hear(), await alice.hear()], ["message one", "message two"]);
    assertEquals(world.clock.now() - sentAt, 5000);
    bob.say("ok one"); // an earlier holder may still settle
    alice.say("ok two");
    assertEquals(new Set([await alice.hear(), await alice.hear()]), new Set(["ok one", "ok two"]));
    assertEquals(server.stats().timers, 0);
    assertEquals(server.stats().redelivered, 2);
  },
);

Deno.test(
  "RelayServer redelivers the messages of a peer immediately when it resets",
  { permissions },
  async () => {
    const world = new Simulation();
    const draws = [0.99, 0];
    await using server = world.relay({ random: () => draws.shift() ?? 0 });
    const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
    await world.clock.runUntil(() => server.stats().active === 2);
    alice.say("message x");
    assertEquals(await bob.hear(), "message x");
    const before = world.clock.now();
    bob.connection.abort();
    assertEquals(await alice.hear(), "message x");
    assertEquals(world.clock.now(), before);
  },
);

Deno.test(
  "RelayServer closes only the peer whose line is too long, after an error line",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ limits: { maxLine: 16 }, random: () => 0 });
    const [alice, mallory] = [await world.peer(server.port), await world.peer(server.port)];
    mallory.say("message ok");
    assertEquals(await alice.hear(), "message ok"); // good lines before it count
    mallory.say("message 901234567");
    assertEquals(await mallory.hear(), "error line is over the limit of 16 bytes");
    assertEquals(await mallory.hear(), undefined);
    await world.clock.runUntil(mallory.connection.close());
    const { closed, connections } = await world.clock.runUntil(
      server.until((stats) => stats.connections === 1),
    );
    assertEquals([closed.framing, connections], [1, 1]);
    alice.say("message 90123456"); // exactly at the limit
    assertEquals(await alice.hear(), "message 90123456");
  },
);

Deno.test("RelayServer answers a malformed line, and keeps the peer", { permissions }, async () => {
  const world = new Simulation();
  await using server = world.relay();
  const alice = await world.peer(server.port);
  alice.say("hello there");
  alice.say("message");
  alice.say("error out of paper");
  alice.say("message x");
  assertEquals(await alice.hear(), 'error unknown verb "hello": expected message, ok, error, auth');
  assertEquals(
    await alice.hear(),
    'error verb message without its space: expected "message TEXT", TEXT may be empty',
  );
  assertEquals(await alice.hear(), "message x"); // and nothing for the error
  const { rejected, errors, connections } = server.stats();
  assertEquals({ rejected, errors, connections }, { rejected: 2, errors: 1, connections: 1 });
});

Deno.test(
  "RelayServer refuses a connection over its limit, and sends the reason",
  { permissions },
  async () => {
    const world = new Simulation();
    await using server = world.relay({ limits: { maxConnections: 1 } });
    const alice = await world.peer(server.port);
    const late = await world.peer(server.port);
    assertEquals(await late.hear(), "error busy: 1 connection is open");
    assertEquals(await late.hear(), undefined);
    alice.say("message x");
    assertEquals(await alice.hear(), "message x");
    assertEquals(server.stats().refused, 1);
  },
);

Deno.test(
  "RelayServer.shutdown() waits for pending oks, and leaves nothing",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = world.relay({ random: () => 0.99 });
    const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
    await world.clock.runUntil(() => server.stats().active === 2);
    alice.say("message x");
    assertEquals(await bob.hear(), "message x");
    const drained = server.shutdown();
    const notice = "error server is draining: connections end within 10000 ms";
    assertEquals([await alice.hear(), await bob.hear()], [notice, notice]);
    bob.say("ok x");
    assertEquals(await alice.hear(), "ok x");
    assertEquals(await alice.hear(), undefined);
    assertEquals(await bob.hear(), undefined);
    await world.clock.runUntil(Promise.all([alice.connection.close(), bob.connection.close(), drained]));
    const { connections, pending, timers } = server.stats();
    assertEquals({ connections, pending, timers }, { connections: 0, pending: 0, timers: 0 });
    assertEquals(world.network.stats().sockets, 0);
    assertEquals(world.clock.timers, 0);
  },
);

Deno.test("RelayServer.shutdown() cuts off a peer that does not close", { permissions }, async () => {
  const world = new Simulation();
  const ends: CloseReason[] = [];
  const server = world.relay({
    timeouts: { drain: 1000 },
    onEvent: on("closed", ({ reason }) => ends.push(reason)),
  });
  const alice = await world.peer(server.port);
  alice.say("message x"); // waited for, though in vain
  await world.clock.runUntil(() => server.stats().pending === 1);
  const begun = world.clock.now();
  await world.clock.runUntil(server.shutdown());
  assertEquals(world.clock.now() - begun, 1000);
  assertEquals(ends, [{ type: "timeout", which: "drain", ms: 1000 }]);
  assertEquals(server.stats().connections, 0);
  alice.connection.abort();
});

Deno.test("RelayServer aborts a connection without messages when onEvent throws for joined", {
  permissions,
}, async () => {
  const world = new Simulation();
  const error = new RangeError("broken hook");
  const ends: CloseReason[] = [];
  const errors: Error[] = [];
  await using server = world.relay({
    onError: (error) => void errors.push(error),
    onEvent: (event) => {
      if (event.type === "closed") ends.push(event.reason);
      if (event.type === "joined" && event.connection.id === 2) throw error;
    },
  });
  const alice = await world.peer(server.port);
  const bob = await world.peer(server.port);
  await world.clock.runUntil(server.until((stats) => stats.accepted === 2 && stats.connections === 1));
  assertEquals(ends, [{ type: "handler-failed", error }]);
  assertEquals(errors, [error]);
  for (let i = 0; i < 20; i++) alice.say(`message ${i}`);
  for (let i = 0; i < 20; i++) assertEquals(await alice.hear(), `message ${i}`);
  bob.connection.abort();
});

Deno.test("RelayServer reports every event to its observer", { permissions }, async () => {
  const world = new Simulation();
  const seen: string[] = [];
  await using server = world.relay({
    random: () => 0,
    onEvent: (event) => {
      if (event.type === "joined") seen.push(`joined ${event.connection.id}`);
      if (event.type === "closed") seen.push(`closed ${event.connection.id} ${event.reason.type}`);
    },
    observer: {
      received: (connection, line) => seen.push(`received ${connection.id} ${line}`),
      sent: (connection, line) => seen.push(`sent ${connection.id} ${line}`),
    },
  });
  const alice = await world.peer(server.port);
  alice.say("message x");
  await alice.hear();
  alice.say("ok x");
  await alice.hear();
  await world.clock.runUntil(alice.connection.close());
  await world.clock.runUntil(server.until((stats) => stats.connections === 0));
  assertEquals(seen, [
    "joined 1",
    "received 1 message x",
    "sent 1 message x",
    "received 1 ok x",
    "sent 1 ok x",
    "closed 1 natural",
  ]);
});
