/** Closing a connection from this side. */
import { assertEquals } from "@std/assert";
import { type CloseReason, FramingError } from "../../socket/errors.ts";
import { listenTo, rawPeer } from "../_util/network/raw_peer.ts";
import { readText, readToEnd } from "../_util/network/transport_pair.ts";

const permissions = "none";

Deno.test(
  "Connection.closeWrite() sends queued data, then FIN, and keeps reading",
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
  "Connection.close() sends queued data, exchanges FINs, and ends with natural",
  { permissions },
  async () => {
    await using raw = await rawPeer({ latency: 5, capacity: 10 });
    raw.connection.send("x".repeat(99));
    const ended = raw.connection.close();
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

Deno.test("Connection.close() reads while it writes, so two busy peers cannot block each other", {
  permissions,
}, async () => {
  await using raw = await rawPeer({ capacity: 10 });
  raw.connection.send("x".repeat(99));
  const ended = raw.connection.close();
  const peerDone = (async () => {
    for (let left = 100; left > 0;) left -= await raw.peer.write(new Uint8Array(left));
    assertEquals(await readToEnd(raw.peer), 100);
    await raw.peer.closeWrite();
  })();
  await raw.clock.runUntil(peerDone, { within: 1000 });
  assertEquals(await raw.clock.runUntil(ended), { type: "natural" });
});

Deno.test(
  "Connection.close() cuts off the peer at the drain timeout when it does not finish",
  { permissions },
  async () => {
    await using raw = await rawPeer({ timeouts: { drain: 700 } });
    const ended = raw.connection.close();
    await raw.clock.advance(699);
    assertEquals(raw.connection.open, true);
    await raw.clock.advance(1);
    assertEquals(await ended, { type: "timeout", which: "drain", ms: 700 });
  },
);

Deno.test(
  "Connection.close() cuts off the peer at the drain timeout when it does not read",
  { permissions },
  async () => {
    await using raw = await rawPeer({ timeouts: { drain: 700 }, capacity: 10 });
    raw.connection.send("x".repeat(29));
    const reason = await raw.clock.runUntil(raw.connection.close({ type: "local", why: "drained" }));
    assertEquals(reason, { type: "timeout", which: "drain", ms: 700 });
    assertEquals(raw.connection.stats().queuedBytes, 20);
  },
);

Deno.test(
  "Connection.close() keeps its reason, whatever the peer does next",
  { permissions },
  async () => {
    const error = new FramingError("invalid-utf8", "Line is not valid UTF-8");
    const why = { type: "framing", error } as const;
    for (const peerDoes of ["reset", "close", "nothing"] as const) {
      await using raw = await rawPeer({ capacity: 10, timeouts: { drain: 700 } });
      raw.connection.send("x".repeat(29));
      const ended = raw.connection.close(why);
      await raw.clock.advance(0);
      if (peerDoes !== "nothing") raw.peer[peerDoes]();
      assertEquals(await raw.clock.runUntil(ended), why);
    }
  },
);

Deno.test("Connection.close() is not natural when the peer resets", { permissions }, async () => {
  await using raw = await rawPeer();
  const ended = raw.connection.close();
  await raw.clock.advance(0);
  raw.peer.reset();
  assertEquals((await raw.clock.runUntil(ended)).type, "reset");
});

Deno.test(
  "Connection.close() stops a loop, and drops frames that it has not read",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const seen: string[] = [];
    let ended: Promise<unknown> | undefined;
    const loop = (async () => {
      for await (const line of raw.connection) {
        seen.push(line);
        if (line === "quit") ended = raw.connection.close();
      }
    })();
    await raw.say("one\nquit\nafter\n");
    await raw.clock.runUntil(loop);
    assertEquals(seen, ["one", "quit"]);
    await raw.say("discarded\n");
    await raw.peer.closeWrite();
    assertEquals(await raw.clock.runUntil(ended!), { type: "natural" });
  },
);

Deno.test(
  "Connection.close() ends once, for the first reason, when it is called twice",
  { permissions },
  async () => {
    await using raw = await rawPeer();
    const first = raw.connection.close({ type: "local", why: "first" });
    const second = raw.connection.close({ type: "local", why: "second" });
    await raw.peer.closeWrite();
    assertEquals(await raw.clock.runUntil(Promise.all([first, second])), [
      { type: "local", why: "first" },
      { type: "local", why: "first" },
    ]);
    assertEquals(await raw.connection.close(), { type: "local", why: "first" });
  },
);

Deno.test("Connection.abort() closes immediately during close()", { permissions }, async () => {
  await using raw = await rawPeer();
  const ended = raw.connection.close();
  raw.connection.abort({ type: "local", why: "now" });
  assertEquals(await ended, { type: "local", why: "now" });
  assertEquals(raw.clock.timers, 0);
});

Deno.test("Connection[Symbol.asyncDispose]() closes the connection cleanly", { permissions }, async () => {
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

Deno.test("Connection.close() sends the farewell for any reason but natural, and only once", {
  permissions,
}, async () => {
  for (
    const [reason, sent] of [
      [{ type: "local", why: "enough" }, "local"],
      [{ type: "unauthorized", why: "wrong token" }, "unauthorized"],
      [{ type: "framing", error: new FramingError("line-too-long", "long") }, "framing"],
      [{ type: "natural" }, null],
    ] as const satisfies readonly (readonly [CloseReason, string | null])[]
  ) {
    await using raw = await rawPeer({ farewell: ({ type }) => type });
    const closed = [raw.connection.close(reason), raw.connection.close({ type: "local", why: "again" })];
    await raw.clock.advance(0);
    assertEquals(await readText(raw.peer), sent === null ? null : `${sent}\n`);
    await raw.peer.closeWrite();
    assertEquals(await raw.clock.runUntil(Promise.all(closed)), [reason, reason]);
  }
});

Deno.test("Connection.close() waits a second at most for a peer that was late or did not authenticate", {
  permissions,
}, async () => {
  const reasons: readonly CloseReason[] = [
    { type: "timeout", which: "auth", ms: 5 },
    { type: "unauthorized", why: "wrong token" },
  ];
  for (const reason of reasons) {
    await using raw = await rawPeer();
    const since = raw.clock.now();
    assertEquals(await raw.clock.runUntil(raw.connection.close(reason)), reason);
    assertEquals(raw.clock.now() - since, 1000);
  }
});

Deno.test("Connection.close() aborts the connection when the farewell throws", { permissions }, async () => {
  const error = new RangeError("broken");
  await using raw = await rawPeer({
    farewell: () => {
      throw error;
    },
  });
  const reason = await raw.connection.close({ type: "local", why: "enough" });
  assertEquals(reason, { type: "handler-failed", error });
  assertEquals(await raw.clock.runUntil(readText(raw.peer)), null);
});
