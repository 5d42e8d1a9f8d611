/** Why a connection says that it ended, and when a silent peer is one. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { listenTo, rawPeer } from "../_util/network/raw_peer.ts";
import { readText } from "../_util/network/transport_pair.ts";

const permissions = "none";

Deno.test("Connection.closed is write-failed when the peer has gone and its FIN was not read", {
  permissions,
}, async () => {
  await using raw = await rawPeer();
  raw.peer.close();
  await raw.clock.advance(0);
  raw.connection.send("one"); // The first write is taken and answered by a reset.
  await raw.clock.advance(0);
  assertEquals(raw.connection.open, true);
  raw.connection.send("two");
  await raw.clock.advance(0);
  const reason = await raw.connection.closed;
  assert(reason.type === "write-failed");
  assertInstanceOf(reason.error, Deno.errors.BrokenPipe);
});

Deno.test(
  "Connection.closed is natural when a write fails after the peer's FIN was read",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const heard = listenTo(raw.connection);
    raw.peer.close();
    await raw.clock.runUntil(heard.done);
    for (const line of ["one", "two"]) {
      raw.connection.send(line);
      await raw.clock.advance(0);
    }
    assertEquals(await raw.connection.closed, { type: "natural" });
  },
);

Deno.test(
  "Connection.closed is a timeout when the peer is silent for the idle timeout",
  { permissions },
  async () => {
    await using raw = await rawPeer({ timeouts: { idle: 1000 } });
    const heard = listenTo(raw.connection);
    await raw.clock.advance(600);
    await raw.say("still here\n");
    await raw.clock.advance(999);
    assertEquals(raw.connection.open, true);
    await raw.clock.advance(1);
    assertEquals(await raw.connection.closed, { type: "timeout", which: "idle", ms: 1000 });
    await raw.clock.runUntil(heard.done);
    assertEquals(raw.clock.timers, 0);
  },
);

Deno.test(
  "Connection.timeouts.idle does not close a peer that waits for an answer",
  { permissions },
  async () => {
    await using raw = await rawPeer({ timeouts: { idle: 1000 } });
    await raw.say("one\ntwo\n");
    await raw.clock.advance(10_000); // There is no reader.
    assertEquals(raw.connection.open, true);
    assertEquals((await raw.connection[Symbol.asyncIterator]().next()).value, "one");
  },
);

Deno.test("Connection.timeouts.idle does not close a peer that has finished and waits for an answer", {
  permissions,
}, async () => {
  await using raw = await rawPeer({ timeouts: { idle: 1000 } });
  const heard = listenTo(raw.connection);
  await raw.peer.closeWrite();
  await raw.clock.runUntil(heard.done);
  await raw.clock.advance(10_000);
  raw.connection.send("answer");
  await raw.clock.advance(0);
  assertEquals(await readText(raw.peer), "answer\n");
});

Deno.test(
  "Connection.timeouts.idle closes a peer that does not read",
  { permissions },
  async () => {
    await using raw = await rawPeer({ timeouts: { idle: 1000 }, capacity: 10 });
    raw.connection.send("x".repeat(99));
    await raw.clock.advance(900);
    await readText(raw.peer, { size: 5 }); // A slow reader, but not a silent one.
    await raw.clock.advance(999);
    assertEquals(raw.connection.open, true);
    await raw.clock.advance(1);
    assertEquals(await raw.connection.closed, { type: "timeout", which: "idle", ms: 1000 });
  },
);
