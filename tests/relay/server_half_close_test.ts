// A sender that half-closes, as `nc -N` does, still gets the oks for its messages.
import { assertEquals } from "@std/assert";
import { Simulation } from "../_util/loadtest/simulation.ts";
import { pure } from "../_util/permissions.ts";

/** A relay with a sender that has half-closed after its messages, and one or more holders. */
async function setUp(messages: readonly string[], holders = 1) {
  const sim = new Simulation();
  const server = sim.relay({ timeouts: { ack: 5000 } });
  const others = [];
  for (let count = 0; count < holders; count++) others.push(await sim.peer(server.port));
  const sender = await sim.peer(server.port);
  for (const message of messages) sender.say(message);
  const sent = sender.connection.closeWrite();
  await sim.clock.runUntil(sent);
  await sim.clock.runUntil(
    server.until((stats) => stats.active === holders && stats.messages === messages.length),
  );
  return { sim, server, sender, others, holder: others[0]! };
}

Deno.test("RelayServer sends a half-closed sender its oks, then closes naturally", pure, async () => {
  const { sim, server, sender, holder } = await setUp(["message a", "message b"]);
  assertEquals(server.stats().connections, 2);
  assertEquals([await holder.hear(), await holder.hear()].sort(), ["message a", "message b"]);
  holder.say("ok a");
  assertEquals(await sender.hear(), "ok a");
  assertEquals(server.stats().connections, 2);
  holder.say("ok b");
  assertEquals(await sender.hear(), "ok b");
  assertEquals(await sender.hear(), undefined);
  await sim.clock.runUntil(server.until((stats) => stats.connections === 1));
  const { pending, closed } = server.stats();
  assertEquals({ pending, natural: closed.natural }, { pending: 0, natural: 1 });
  await sim.clock.runUntil(server.close());
});

Deno.test(
  "RelayServer gives a half-closed peer no messages, and redelivers those that it holds",
  pure,
  async () => {
    const { sim, server, sender, holder, others } = await setUp(["message own"], 2);
    for (let message = 0; message < 20; message++) holder.say(`message ${message}`);
    await sim.clock.runUntil(server.until((stats) => stats.messages === 21));
    for (const other of others) void other.connection.close();
    await sim.clock.runUntil(server.until((stats) => stats.connections === 0));
    assertEquals(await sender.hear(), undefined);
    await sim.clock.runUntil(server.close());
  },
);

Deno.test(
  "RelayServer closes a half-closed sender at the ack timeout, and is left with nothing",
  pure,
  async () => {
    const { sim, server, sender, holder } = await setUp(["message a"]);
    await sim.clock.advance(4999);
    assertEquals(server.stats().connections, 2);
    await sim.clock.advance(2);
    await sim.clock.runUntil(server.until((stats) => stats.connections === 1));
    assertEquals(server.stats().pending, 0);
    assertEquals(await sender.hear(), undefined);
    await sim.clock.runUntil(holder.connection.close());
    await sim.clock.runUntil(server.close());
  },
);

Deno.test(
  "RelayServer closes a half-closed sender immediately when no peer can answer it",
  pure,
  async () => {
    const { sim, server, sender } = await setUp(["message a"], 0);
    await sim.clock.runUntil(server.until((stats) => stats.connections === 0));
    const { pending, dropped, timers } = server.stats();
    assertEquals({ pending, dropped, timers }, { pending: 0, dropped: 1, timers: 0 });
    void sender;
    await sim.clock.runUntil(server.close());
  },
);

Deno.test("RelayServer forgets a half-closed sender whose holder leaves without an ok", pure, async () => {
  const { sim, server, holder } = await setUp(["message a"]);
  await sim.clock.runUntil(holder.connection.close());
  await sim.clock.runUntil(server.until((stats) => stats.pending === 0));
  await sim.clock.advance(5001);
  assertEquals(server.stats().connections, 0);
  await sim.clock.runUntil(server.close());
});
