/** Draining of a relay whose peers keep sending. */
import { assertEquals } from "@std/assert";
import { Simulation } from "../_util/loadtest/simulation.ts";

const permissions = "none";

Deno.test(
  "RelayServer.shutdown() ends although peers keep sending, because it rejects messages after half its time",
  {
    permissions,
  },
  async () => {
    const world = new Simulation();
    const server = world.relay({ random: () => 0.99 });
    const [alice, bob] = [await world.peer(server.port), await world.peer(server.port)];
    await world.clock.runUntil(() => server.stats().active === 2);
    alice.say("message x");
    assertEquals(await bob.hear(), "message x");
    const drained = server.shutdown();
    for (const peer of [alice, bob]) await peer.hear(); // the notice
    await world.clock.advance(3999);
    alice.say("message y"); // as if it had been on its way
    assertEquals(await bob.hear(), "message y");
    await world.clock.advance(1);
    for (let count = 0; count < 3; count++) {
      alice.say("message z");
      assertEquals(await alice.hear(), "error server is draining");
    }
    for (const text of ["x", "y"]) {
      bob.say(`ok ${text}`);
      assertEquals(await alice.hear(), `ok ${text}`);
    }
    assertEquals(await alice.hear(), undefined);
    await world.clock.runUntil(Promise.all([alice.connection.close(), bob.connection.close(), drained]));
    assertEquals(world.clock.now(), 4000);
    const { messages, limitedBy, unsettled, timeouts } = server.stats();
    assertEquals({ messages, limitedBy, unsettled, timeouts }, {
      messages: 2,
      limitedBy: { "max-under-way": 0, "max-under-way-per-peer": 0, "draining": 3 },
      unsettled: 0,
      timeouts: {},
    });
  },
);

Deno.test(
  "RelayServer.stats() counts the messages that were left without an ok",
  { permissions },
  async () => {
    const world = new Simulation();
    const server = world.relay({ timeouts: { drain: 1000 } });
    const alice = await world.peer(server.port);
    for (const text of ["x", "y"]) alice.say(`message ${text}`);
    await world.clock.runUntil(() => server.stats().pending === 2);
    const drained = server.shutdown();
    await world.clock.advance(799);
    assertEquals(server.stats().unsettled, 0);
    await world.clock.advance(1);
    assertEquals(server.stats().unsettled, 2);
    await server.close(); // the second signal
    await drained;
    const { pending, unsettled } = server.stats();
    assertEquals({ pending, unsettled }, { pending: 0, unsettled: 2 });
    alice.connection.abort();
  },
);

Deno.test("RelayServer.close() counts the messages that it drops", { permissions }, async () => {
  const world = new Simulation();
  const server = world.relay();
  const alice = await world.peer(server.port);
  alice.say("message x");
  await world.clock.runUntil(() => server.stats().pending === 1);
  await world.clock.runUntil(server.close());
  assertEquals(server.stats().unsettled, 1);
  alice.connection.abort();
});
