import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ConnectionClosedError, FramingError } from "../../../socket/errors.ts";
import { rawPeer } from "../../_util/network/raw_peer.ts";
import { readText } from "../../_util/network/transport_pair.ts";

const permissions = "none";

Deno.test(
  "Connection.readable yields the frames, and closes at the peer's FIN",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const lines = Array.fromAsync(raw.connection.readable);
    await raw.say("one\ntw");
    await raw.say("o\nthree\n");
    await raw.peer.closeWrite();
    assertEquals(await raw.clock.runUntil(lines), ["one", "two", "three"]);
    assert(raw.connection.open);
  },
);

Deno.test("Connection.readable reads nothing when nothing pulls from it", { permissions }, async () => {
  await using raw = await rawPeer();
  const reader = raw.connection.readable.getReader();
  await raw.say("one\ntwo\n");
  assertEquals(raw.connection.stats().bytesIn, 0);
  assertEquals(await raw.clock.runUntil(reader.read()), { done: false, value: "one" });
  reader.releaseLock();
  // The stream has taken no frame in advance: a loop goes on with the next.
  assertEquals(await raw.clock.runUntil(raw.connection[Symbol.asyncIterator]().next()), {
    done: false,
    value: "two",
  });
});

Deno.test("Connection.readable errors when the input cannot be framed", { permissions }, async () => {
  await using raw = await rawPeer({ maxLine: 5 });
  const reader = raw.connection.readable.getReader();
  await raw.say("good\ntoo long\n");
  assertEquals((await raw.clock.runUntil(reader.read())).value, "good");
  await assertRejects(() => raw.clock.runUntil(reader.read()), FramingError);
});

Deno.test("Connection.readable errors when the peer resets", { permissions }, async () => {
  await using raw = await rawPeer();
  const reader = raw.connection.readable.getReader();
  const read = assertRejects(() => reader.read(), ConnectionClosedError, "reset");
  raw.peer.reset();
  await raw.clock.runUntil(read);
});

Deno.test("Connection.readable closes when this side closes the connection", { permissions }, async () => {
  await using raw = await rawPeer();
  const lines = Array.fromAsync(raw.connection.readable);
  const closed = raw.connection.close();
  await raw.peer.closeWrite();
  assertEquals(await raw.clock.runUntil(lines), []);
  assertEquals(await raw.clock.runUntil(closed), { type: "natural" });
});

Deno.test(
  "Connection.readable discards input and leaves writing open when it is canceled",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 8 });
    await raw.connection.readable.cancel();
    await raw.say("more than the capacity of the socket\n".repeat(3));
    assert(raw.connection.stats().bytesIn > 100);
    raw.connection.send("answer");
    await raw.clock.advance(0);
    assertEquals(await raw.clock.runUntil(readText(raw.peer)), "answer\n");
    const next = await raw.clock.runUntil(raw.connection[Symbol.asyncIterator]().next());
    assertEquals(next.done, true);
  },
);

Deno.test(
  "Connection.writable sends its chunks, and half-closes when it is closed",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    await raw.clock.runUntil(ReadableStream.from(["one", "two"]).pipeTo(raw.connection.writable));
    assertEquals(await raw.clock.runUntil(readText(raw.peer)), "one\ntwo\n");
    assertEquals(await raw.clock.runUntil(raw.peer.read(new Uint8Array(1))), null);
    assert(raw.connection.open);
    assertEquals([raw.connection.writeEnded, raw.connection.send("three")], [true, false]);
  },
);

Deno.test(
  "Connection.writable waits until the peer reads when send() returns false",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 10, limits: { highWater: 10 } });
    const writer = raw.connection.writable.getWriter();
    let written = false;
    const writing = writer.write("x".repeat(30)).then(() => written = true);
    await raw.clock.advance(1000);
    assertEquals([written, writer.desiredSize], [false, 0]);
    while (!written) {
      await raw.clock.runUntil(raw.peer.read(new Uint8Array(10)));
      await raw.clock.advance(0);
    }
    await writing;
    assertEquals(writer.desiredSize, 1);
  },
);

Deno.test("Connection.writable aborts the connection when it is aborted", { permissions }, async () => {
  await using raw = await rawPeer();
  await raw.connection.writable.abort(new Error("The disk is full"));
  assertEquals(await raw.connection.closed, { type: "local", why: "The disk is full" });
});

Deno.test("Connection.writable errors when the connection ends first", { permissions }, async () => {
  await using raw = await rawPeer({ capacity: 1, limits: { highWater: 1 } });
  const writer = raw.connection.writable.getWriter();
  const closed = assertRejects(() => writer.closed, ConnectionClosedError);
  const write = assertRejects(() => writer.write("long line"), ConnectionClosedError);
  await raw.clock.advance(0);
  raw.connection.abort();
  await raw.clock.runUntil(write);
  await raw.clock.runUntil(closed);
  const error = await writer.write("more").catch((error) => error);
  assertInstanceOf(error, ConnectionClosedError);
});

Deno.test("Connection.writable rejects a chunk when this side has half-closed", { permissions }, async () => {
  await using raw = await rawPeer();
  await raw.clock.runUntil(raw.connection.closeWrite());
  const writer = raw.connection.writable.getWriter();
  await assertRejects(() => writer.write("late"), TypeError, "Cannot write");
  await assertRejects(() => writer.closed, TypeError);
});
