/** Sending on a connection, and its queue. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectionClosedError } from "../../../socket/errors.ts";
import { listenTo, rawPeer } from "../../_util/network/raw_peer.ts";
import { readText } from "../../_util/network/transport_pair.ts";

const permissions = "none";

Deno.test(
  "Connection.send() writes everything of one turn in one write, in order",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    for (const line of ["a", "b", "c"]) assertEquals(raw.connection.send(line), true);
    await Promise.resolve();
    raw.connection.send("d");
    assertEquals(raw.writes, []);
    await raw.clock.advance(0);
    assertEquals(raw.writes, ["a\nb\nc\nd\n"]);
    raw.connection.send("e");
    await raw.clock.advance(0);
    assertEquals(raw.writes, ["a\nb\nc\nd\n", "e\n"]);
    assertEquals(await readText(raw.peer), "a\nb\nc\nd\ne\n");
  },
);

Deno.test(
  "Connection.send() keeps the order through partial writes, one write at a time",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 7 });
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    for (const [i, line] of lines.entries()) {
      raw.connection.send(line);
      if (i % 7 === 0) await raw.clock.advance(0);
    }
    let got = "";
    const wanted = lines.map((line) => `${line}\n`).join("");
    await raw.clock.runUntil((async () => {
      while (got.length < wanted.length) got += await readText(raw.peer, { size: 5 });
    })());
    assertEquals(got, wanted);
    assertEquals(raw.connection.queuedBytes, 0);
    assertEquals(raw.connection.stats().bytesOut, wanted.length);
  },
);

Deno.test("Connection.send() returns false exactly over the high-water mark", { permissions }, async () => {
  await using raw = await rawPeer({ limits: { highWater: 10 } });
  assertEquals(raw.connection.send("123456789"), true); // 10 bytes with its LF
  assertEquals(raw.connection.send(""), false);
  await raw.clock.advance(0);
  assertEquals(raw.connection.send("123456789"), true);
});

Deno.test(
  "Connection.send() cuts off a slow reader exactly over the write buffer",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 10, limits: { writeBuffer: 100, highWater: 50 } });
    raw.connection.send("x".repeat(29)); // 10 of the 30 bytes go, 20 are in flight
    await raw.clock.advance(0);
    assertEquals(raw.connection.queuedBytes, 20);
    assertEquals(raw.connection.send("x".repeat(29)), true);
    assertEquals(raw.connection.send("x".repeat(49)), false); // 100 waiting: the most there may be
    assertEquals(raw.connection.open, true);
    assertEquals(raw.connection.send(""), false);
    assertEquals(raw.connection.open, false);
    assertEquals(await raw.connection.closed, { type: "slow-reader", queuedBytes: 101, limit: 100 });
    assertEquals(raw.connection.stats().queuedBytes, 101);
  },
);

Deno.test(
  "Connection.send() accepts any burst of one turn when nothing was queued before",
  { permissions },
  async () => {
    await using raw = await rawPeer({ limits: { writeBuffer: 100 } });
    for (let i = 0; i < 50; i++) raw.connection.send("x".repeat(99));
    await raw.clock.advance(0);
    assertEquals(raw.connection.open, true);
    assertEquals(raw.connection.queuedBytes, 0);
  },
);

Deno.test("Connection.send() throws for a line feed, and sends the rest", { permissions }, async () => {
  await using raw = await rawPeer();
  raw.connection.send("a");
  assertThrows(() => raw.connection.send("b\nc"), TypeError, "line feed");
  raw.connection.send("d");
  await raw.clock.advance(0);
  assertEquals(raw.writes, ["a\nd\n"]);
  assertEquals(raw.connection.stats().framesOut, 2);
});

Deno.test("Connection.send() returns false and counts nothing after the end", { permissions }, async () => {
  await using raw = await rawPeer();
  raw.connection.abort();
  assertEquals(raw.connection.send("late"), false);
  await raw.clock.advance(0);
  assertEquals(raw.writes, []);
  assertEquals(raw.connection.stats().framesOut, 0);
});

Deno.test("Connection.flushed() resolves when the socket has taken everything", { permissions }, async () => {
  await using raw = await rawPeer({ capacity: 10 });
  await raw.connection.flushed();
  raw.connection.send("x".repeat(24));
  let flushed = false;
  const waiting = raw.connection.flushed().then(() => flushed = true);
  await raw.clock.advance(1000);
  assertEquals(flushed, false);
  assertEquals(raw.connection.queuedBytes, 15);
  await readText(raw.peer, { size: 14 });
  await raw.clock.advance(0);
  assertEquals([flushed, raw.connection.queuedBytes], [false, 5]);
  await readText(raw.peer, { size: 14 });
  await raw.clock.runUntil(waiting);
  assertEquals(raw.connection.queuedBytes, 0);
});

Deno.test(
  "Connection.flushed() rejects with the unsent bytes when the connection closes first",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 10 });
    raw.connection.send("x".repeat(29));
    const flushed = raw.connection.flushed();
    await raw.clock.advance(0);
    raw.connection.abort({ type: "local", why: "enough" });
    const error = await assertRejects(() => flushed, ConnectionClosedError);
    assertEquals([error.unsentBytes, error.reason], [20, { type: "local", why: "enough" }]);
    assertEquals(error.message, "Connection closed (local: enough) with 20 bytes unsent");
    assertEquals(raw.connection.stats().queuedBytes, 20);
    await assertRejects(() => raw.connection.flushed(), ConnectionClosedError);
  },
);

Deno.test("Connection.stats() counts bytes and frames in both directions", { permissions }, async () => {
  await using raw = await rawPeer({ capacity: 4 });
  const heard = listenTo(raw.connection);
  await raw.say("å\n");
  await raw.say("b\npart");
  raw.connection.send("ååå");
  assertEquals(raw.connection.queuedBytes, 4); // UTF-16 units until they are encoded
  await raw.clock.advance(250);
  assertEquals(raw.connection.stats(), {
    openedAt: 0,
    bytesIn: 9,
    bytesOut: 4,
    framesIn: 2,
    framesOut: 1,
    queuedBytes: 3,
  });
  assertEquals(heard.lines, ["å", "b"]);
});

Deno.test(
  "Connection.total adds up the queued bytes of open connections",
  { permissions },
  async () => {
    const total = { queuedBytes: 0 };
    await using one = await rawPeer({ total, capacity: 10 });
    await using other = await rawPeer({ total, capacity: 10 });
    one.connection.send("ååååååå"); // 15 bytes
    other.connection.send("x".repeat(19));
    assertEquals(total.queuedBytes, 8 + 20);
    await one.clock.advance(0);
    await other.clock.advance(0);
    assertEquals(total.queuedBytes, 5 + 10);
    one.connection.abort();
    assertEquals(total.queuedBytes, 10);
    await readText(other.peer);
    await other.clock.advance(0);
    assertEquals(total.queuedBytes, 0);
  },
);

Deno.test(
  "Connection leaves nothing when the peer resets in the middle of a write",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 10 });
    raw.connection.send("x".repeat(99));
    const flushed = assertRejects(() => raw.connection.flushed(), ConnectionClosedError, "90 bytes unsent");
    await raw.clock.advance(0);
    raw.peer.reset();
    await raw.clock.advance(0);
    await flushed;
    assertEquals((await raw.connection.closed).type, "write-failed");
    assertEquals(raw.network.stats().sockets, 0);
    assertEquals(raw.clock.timers, 0);
  },
);
