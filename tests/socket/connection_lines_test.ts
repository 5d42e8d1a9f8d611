/** What a connection gives of what its peer says. */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FramingError } from "../../socket/errors.ts";
import { listenTo, rawPeer } from "../_util/raw_peer.ts";
import { readText } from "../_util/transport_pair.ts";

const permissions = "none";

Deno.test(
  "Connection[Symbol.asyncIterator]() yields the peer's lines, and ends at its FIN",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const heard = listenTo(raw.connection);
    await raw.say("one\ntw");
    assertEquals(heard.lines, ["one"]);
    await raw.say("o\r\n");
    await raw.peer.closeWrite();
    await raw.clock.runUntil(heard.done);
    assertEquals(heard.lines, ["one", "two"]);
    assertEquals(raw.connection.peerEnded, true);
    assertEquals(raw.connection.open, true);
  },
);

Deno.test(
  "Connection.batches() yields the frames of one read, and never an empty batch",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const batches: (readonly string[])[] = [];
    const done = (async () => {
      for await (const batch of raw.connection.batches()) batches.push(batch);
    })();
    for (const words of ["a\nb\nc", "d", "\ne\n"]) await raw.say(words);
    await raw.peer.closeWrite();
    await raw.clock.runUntil(done);
    assertEquals(batches, [["a", "b"], ["cd", "e"]]);
  },
);

Deno.test(
  "Connection[Symbol.asyncIterator]() continues where an earlier loop stopped",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    await raw.say("auth\none\ntwo\nthree\n");
    await raw.peer.closeWrite();
    const seen: string[] = [];
    await raw.clock.runUntil((async () => {
      for await (const line of raw.connection) {
        seen.push(`first ${line}`);
        break;
      }
      seen.push(`next ${(await raw.connection[Symbol.asyncIterator]().next()).value}`);
      for await (const batch of raw.connection.batches()) seen.push(`rest ${batch}`);
    })());
    assertEquals(seen, ["first auth", "next one", "rest two,three"]);
  },
);

Deno.test(
  "Connection.batches() rejects a second pending call, and serves the first",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const first = raw.connection.batches().next();
    await assertRejects(() => raw.connection.batches().next(), TypeError, "twice at once");
    await raw.say("one\n");
    assertEquals((await first).value, ["one"]);
  },
);

Deno.test("Connection.batches() keeps the first call pending when one iterator is called twice in parallel", {
  permissions,
}, async () => {
  await using raw = await rawPeer();
  const batches = raw.connection.batches();
  const first = batches.next();
  await assertRejects(() => batches.next(), TypeError, "twice at once");
  await raw.say("one\ntwo\n");
  assertEquals((await raw.clock.runUntil(first)).value, ["one", "two"]);
});

Deno.test("Connection reads nothing until a frame is requested", { permissions }, async () => {
  await using raw = await rawPeer({ capacity: 100 });
  let written = 0;
  const writing = (async () => {
    for (;;) written += await raw.peer.write(new Uint8Array(30).fill(10));
  })();
  await raw.clock.advance(1000);
  assertEquals(written, 100);
  assertEquals(raw.connection.stats().bytesIn, 0);
  raw.peer.close();
  await assertRejects(() => writing, Deno.errors.Interrupted);
});

Deno.test(
  "Connection[Symbol.asyncIterator]() throws a FramingError after the good lines, on every call",
  {
    permissions,
  },
  async () => {
    await using raw = await rawPeer({ maxLine: 5 });
    const heard = listenTo(raw.connection);
    const failing = assertRejects(() => heard.done, FramingError);
    await raw.say("good\nfine\ntoo long\nnever\n");
    const error = await failing;
    assertEquals(error.code, "line-too-long");
    assertEquals(heard.lines, ["good", "fine"]);
    await assertRejects(() => raw.connection.batches().next(), FramingError);
    assertEquals(raw.connection.open, true);
    // Something can still be said to the peer.
    raw.connection.send("error");
    const ended = raw.connection.close({ type: "framing", error });
    await raw.clock.advance(0);
    assertEquals(await readText(raw.peer), "error\n");
    raw.peer.close();
    assertEquals(await raw.clock.runUntil(ended), { type: "framing", error });
  },
);

Deno.test(
  "Connection[Symbol.asyncIterator]() throws an unterminated FramingError when FIN arrives inside a line",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const heard = listenTo(raw.connection);
    const failing = assertRejects(() => heard.done, FramingError);
    await raw.say("whole\nhal");
    await raw.peer.closeWrite();
    await raw.clock.advance(0);
    const error = await failing;
    assertEquals(error.code, "unterminated");
    assertEquals(heard.lines, ["whole"]);
  },
);

Deno.test(
  "Connection[Symbol.asyncIterator]() yields what arrived before a reset, and ends",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    await raw.say("last\nhal");
    raw.peer.reset();
    await raw.clock.advance(0);
    const heard = listenTo(raw.connection);
    await raw.clock.runUntil(heard.done);
    assertEquals(heard.lines, ["last"]);
    const reason = await raw.connection.closed;
    assert(reason.type === "reset");
    assertInstanceOf(reason.error, Deno.errors.ConnectionReset);
  },
);

Deno.test(
  "Connection[Symbol.asyncIterator]() ends when the connection is closed during the loop",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const heard = listenTo(raw.connection);
    await raw.say("one\n");
    raw.connection.abort({ type: "local", why: "replaced" });
    await raw.clock.runUntil(heard.done);
    assertEquals(heard.lines, ["one"]);
    assertEquals(await raw.connection.closed, { type: "local", why: "replaced" });
  },
);
