import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ConnectionClosedError, FramingError } from "../socket/errors.ts";
import { listenTo, rawPeer } from "./helpers/raw_peer.ts";
import { readText, readToEnd } from "./helpers/transport_pair.ts";

const permissions = "none";

Deno.test("Connection.lines() gives the peer's lines, and ends at its FIN", { permissions }, async () => {
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
});

Deno.test("Connection.batches() gives what one read gave, never empty", { permissions }, async () => {
  await using raw = await rawPeer();
  const batches: (readonly string[])[] = [];
  const done = (async () => {
    for await (const batch of raw.connection.batches()) batches.push(batch);
  })();
  for (const words of ["a\nb\nc", "d", "\ne\n"]) await raw.say(words);
  await raw.peer.closeWrite();
  await raw.clock.runUntil(done);
  assertEquals(batches, [["a", "b"], ["cd", "e"]]);
});

Deno.test("Connection.lines() goes on where a loop was left", { permissions }, async () => {
  await using raw = await rawPeer();
  await raw.say("auth\none\ntwo\nthree\n");
  await raw.peer.closeWrite();
  const seen: string[] = [];
  await raw.clock.runUntil((async () => {
    for await (const line of raw.connection.lines()) {
      seen.push(`first ${line}`);
      break;
    }
    seen.push(`next ${(await raw.connection.frames().next()).value}`);
    for await (const batch of raw.connection.batches()) seen.push(`rest ${batch}`);
  })());
  assertEquals(seen, ["first auth", "next one", "rest two,three"]);
});

Deno.test(
  "Connection.batches() refuses two that ask at once, and serves the first",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const first = raw.connection.batches().next();
    await assertRejects(() => raw.connection.batches().next(), TypeError, "twice at once");
    await raw.say("one\n");
    assertEquals((await first).value, ["one"]);
  },
);

Deno.test("Connection reads nothing that nobody asks for", { permissions }, async () => {
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

Deno.test("Connection.lines() throws a FramingError after the good lines, however often it is asked", {
  permissions,
}, async () => {
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
  const ended = raw.connection.end({ type: "framing", error });
  await raw.clock.advance(0);
  assertEquals(await readText(raw.peer), "error\n");
  raw.peer.close();
  assertEquals(await raw.clock.runUntil(ended), { type: "framing", error });
});

Deno.test(
  "Connection.lines() throws an unterminated FramingError at FIN in a line",
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
  "Connection.lines() ends when the peer resets, after what came before",
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

Deno.test("Connection.lines() ends when the connection is closed under it", { permissions }, async () => {
  await using raw = await rawPeer();
  const heard = listenTo(raw.connection);
  await raw.say("one\n");
  raw.connection.close({ type: "local", why: "replaced" });
  await raw.clock.runUntil(heard.done);
  assertEquals(heard.lines, ["one"]);
  assertEquals(await raw.connection.closed, { type: "local", why: "replaced" });
});

Deno.test(
  "Connection.send() writes what one turn sends in one write, in order",
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

Deno.test("Connection.send() gives false over the high-water mark, exactly", { permissions }, async () => {
  await using raw = await rawPeer({ highWater: 10 });
  assertEquals(raw.connection.send("123456789"), true); // 10 bytes with its LF
  assertEquals(raw.connection.send(""), false);
  await raw.clock.advance(0);
  assertEquals(raw.connection.send("123456789"), true);
});

Deno.test(
  "Connection.send() cuts off a slow reader over the write buffer, exactly",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 10, writeBuffer: 100, highWater: 50 });
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
  "Connection.send() takes any burst of one turn while nothing waits from before",
  { permissions },
  async () => {
    await using raw = await rawPeer({ writeBuffer: 100 });
    for (let i = 0; i < 50; i++) raw.connection.send("x".repeat(99));
    await raw.clock.advance(0);
    assertEquals(raw.connection.open, true);
    assertEquals(raw.connection.queuedBytes, 0);
  },
);

Deno.test("Connection.send() refuses a line feed and sends the rest", { permissions }, async () => {
  await using raw = await rawPeer();
  raw.connection.send("a");
  assertThrows(() => raw.connection.send("b\nc"), TypeError, "line feed");
  raw.connection.send("d");
  await raw.clock.advance(0);
  assertEquals(raw.writes, ["a\nd\n"]);
  assertEquals(raw.connection.stats().framesOut, 2);
});

Deno.test("Connection.send() after the end gives false and counts nothing", { permissions }, async () => {
  await using raw = await rawPeer();
  raw.connection.close();
  assertEquals(raw.connection.send("late"), false);
  await raw.clock.advance(0);
  assertEquals(raw.writes, []);
  assertEquals(raw.connection.stats().framesOut, 0);
});

Deno.test("Connection.flushed() waits until the socket has taken all", { permissions }, async () => {
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
  "Connection.flushed() rejects when it closes before, with what was not sent",
  { permissions },
  async () => {
    await using raw = await rawPeer({ capacity: 10 });
    raw.connection.send("x".repeat(29));
    const flushed = raw.connection.flushed();
    await raw.clock.advance(0);
    raw.connection.close({ type: "local", why: "enough" });
    const error = await assertRejects(() => flushed, ConnectionClosedError);
    assertEquals([error.unsentBytes, error.reason], [20, { type: "local", why: "enough" }]);
    assertEquals(error.message, "Connection closed (local: enough) with 20 bytes unsent");
    assertEquals(raw.connection.stats().queuedBytes, 20);
    await assertRejects(() => raw.connection.flushed(), ConnectionClosedError);
  },
);

Deno.test(
  "Connection.closeWrite() sends what waits, then FIN, and goes on reading",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const heard = listenTo(raw.connection);
    raw.connection.send("last");
    const closed = raw.connection.closeWrite();
    assertEquals(raw.connection.send("too late"), false);
    await raw.clock.runUntil(closed);
    await raw.clock.advance(0);
    assertEquals(await readText(raw.peer), "last\n");
    assertEquals(await readText(raw.peer), null);
    await raw.say("answer\n");
    assertEquals(heard.lines, ["answer"]);
    await raw.connection.closeWrite();
    assertEquals(raw.connection.open, true);
  },
);

Deno.test(
  "Connection.end() is natural: what waits is sent, FIN both ways, nothing reset",
  { permissions },
  async () => {
    await using raw = await rawPeer({ latency: 5, capacity: 10 });
    raw.connection.send("x".repeat(99));
    const ended = raw.connection.end();
    const peerDone = (async () => {
      const bytes = await readToEnd(raw.peer);
      await raw.peer.write(new Uint8Array(10)); // Discarded, and not answered by a reset.
      await raw.peer.closeWrite();
      return bytes;
    })();
    assertEquals(await raw.clock.runUntil(peerDone), 100);
    assertEquals(await raw.clock.runUntil(ended), { type: "natural" });
    assertEquals(await readText(raw.peer), null);
    assertEquals(raw.clock.timers, 0);
    raw.peer.close();
    assertEquals(raw.network.stats().sockets, 0);
  },
);

Deno.test("Connection.end() reads while it writes, so that two busy peers cannot block each other", {
  permissions,
}, async () => {
  await using raw = await rawPeer({ capacity: 10 });
  raw.connection.send("x".repeat(99));
  const ended = raw.connection.end();
  const peerDone = (async () => {
    for (let left = 100; left > 0;) left -= await raw.peer.write(new Uint8Array(left));
    assertEquals(await readToEnd(raw.peer), 100);
    await raw.peer.closeWrite();
  })();
  await raw.clock.runUntil(peerDone, { within: 1000 });
  assertEquals(await raw.clock.runUntil(ended), { type: "natural" });
});

Deno.test(
  "Connection.end() is cut by the drain timeout when the peer does not finish",
  { permissions },
  async () => {
    await using raw = await rawPeer({ drainTimeout: 700 });
    const ended = raw.connection.end();
    await raw.clock.advance(699);
    assertEquals(raw.connection.open, true);
    await raw.clock.advance(1);
    assertEquals(await ended, { type: "timeout", which: "drain", ms: 700 });
  },
);

Deno.test(
  "Connection.end() is cut by the drain timeout when the peer does not read",
  { permissions },
  async () => {
    await using raw = await rawPeer({ drainTimeout: 700, capacity: 10 });
    raw.connection.send("x".repeat(29));
    const reason = await raw.clock.runUntil(raw.connection.end({ type: "local", why: "drained" }));
    assertEquals(reason, { type: "timeout", which: "drain", ms: 700 });
    assertEquals(raw.connection.stats().queuedBytes, 20);
  },
);

Deno.test(
  "Connection.end() keeps the reason it was given, whatever the peer does then",
  { permissions },
  async () => {
    const error = new FramingError("invalid-utf8", "Line is not valid UTF-8");
    const why = { type: "framing", error } as const;
    for (const peerDoes of ["reset", "close", "nothing"] as const) {
      await using raw = await rawPeer({ capacity: 10, drainTimeout: 700 });
      raw.connection.send("x".repeat(29));
      const ended = raw.connection.end(why);
      await raw.clock.advance(0);
      if (peerDoes !== "nothing") raw.peer[peerDoes]();
      assertEquals(await raw.clock.runUntil(ended), why);
    }
  },
);

Deno.test("Connection.end() that meets a reset was not natural", { permissions }, async () => {
  await using raw = await rawPeer();
  const ended = raw.connection.end();
  await raw.clock.advance(0);
  raw.peer.reset();
  assertEquals((await raw.clock.runUntil(ended)).type, "reset");
});

Deno.test("Connection.end() stops a loop, and drops what it has not taken", { permissions }, async () => {
  await using raw = await rawPeer();
  const seen: string[] = [];
  let ended: Promise<unknown> | undefined;
  const loop = (async () => {
    for await (const line of raw.connection.lines()) {
      seen.push(line);
      if (line === "quit") ended = raw.connection.end();
    }
  })();
  await raw.say("one\nquit\nafter\n");
  await raw.clock.runUntil(loop);
  assertEquals(seen, ["one", "quit"]);
  await raw.say("discarded\n");
  await raw.peer.closeWrite();
  assertEquals(await raw.clock.runUntil(ended!), { type: "natural" });
});

Deno.test("Connection.end() twice ends once, for the first reason", { permissions }, async () => {
  await using raw = await rawPeer();
  const first = raw.connection.end({ type: "local", why: "first" });
  const second = raw.connection.end({ type: "local", why: "second" });
  await raw.peer.closeWrite();
  assertEquals(await raw.clock.runUntil(Promise.all([first, second])), [
    { type: "local", why: "first" },
    { type: "local", why: "first" },
  ]);
  assertEquals(await raw.connection.end(), { type: "local", why: "first" });
});

Deno.test("Connection.close() during end() closes at once", { permissions }, async () => {
  await using raw = await rawPeer();
  const ended = raw.connection.end();
  raw.connection.close({ type: "local", why: "now" });
  assertEquals(await ended, { type: "local", why: "now" });
  assertEquals(raw.clock.timers, 0);
});

Deno.test("Connection[Symbol.asyncDispose]() ends it in order", { permissions }, async () => {
  await using raw = await rawPeer();
  await raw.peer.closeWrite();
  await raw.clock.runUntil((async () => {
    await using connection = raw.connection;
    connection.send("bye");
  })());
  assertEquals(await raw.connection.closed, { type: "natural" });
  await raw.clock.advance(0);
  assertEquals(await readText(raw.peer), "bye\n");
});

Deno.test("Connection.closed says write-failed when the peer is gone without a FIN that was read", {
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
  "Connection.closed says idle when the peer is silent for as long as it may",
  { permissions },
  async () => {
    await using raw = await rawPeer({ idleTimeout: 1000 });
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

Deno.test("Connection.idleTimeout does not hit a peer that is kept waiting", { permissions }, async () => {
  await using raw = await rawPeer({ idleTimeout: 1000 });
  await raw.say("one\ntwo\n");
  await raw.clock.advance(10_000); // Nobody reads.
  assertEquals(raw.connection.open, true);
  assertEquals((await raw.connection.lines().next()).value, "one");
});

Deno.test("Connection.idleTimeout does not hit a peer that has finished and waits for an answer", {
  permissions,
}, async () => {
  await using raw = await rawPeer({ idleTimeout: 1000 });
  const heard = listenTo(raw.connection);
  await raw.peer.closeWrite();
  await raw.clock.runUntil(heard.done);
  await raw.clock.advance(10_000);
  raw.connection.send("answer");
  await raw.clock.advance(0);
  assertEquals(await readText(raw.peer), "answer\n");
});

Deno.test(
  "Connection.idleTimeout hits a peer that takes nothing of what is written",
  { permissions },
  async () => {
    await using raw = await rawPeer({ idleTimeout: 1000, capacity: 10 });
    raw.connection.send("x".repeat(99));
    await raw.clock.advance(900);
    await readText(raw.peer, { size: 5 }); // A slow reader, but not a silent one.
    await raw.clock.advance(999);
    assertEquals(raw.connection.open, true);
    await raw.clock.advance(1);
    assertEquals(await raw.connection.closed, { type: "timeout", which: "idle", ms: 1000 });
  },
);

Deno.test("Connection.stats() counts what went through", { permissions }, async () => {
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
  "Connection.total adds up what waits in many, and forgets those that end",
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
    one.connection.close();
    assertEquals(total.queuedBytes, 10);
    await readText(other.peer);
    await other.clock.advance(0);
    assertEquals(total.queuedBytes, 0);
  },
);

Deno.test(
  "Connection leaves nothing behind when the peer resets in the middle of a write",
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
