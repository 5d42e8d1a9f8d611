import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { FramingError } from "../../socket/errors.ts";
import { listen } from "../../socket/listen.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { pure } from "../_util/permissions.ts";
import { listenTo, rawPeer } from "../_util/network/raw_peer.ts";
import { readText } from "../_util/network/transport_pair.ts";

/** Two ends of a connection in memory. */
interface Pair extends AsyncDisposable {
  readonly near: Connection;
  readonly far: Connection;
}

async function pairOf(limits: { maxLine?: number } = {}): Promise<Pair> {
  const network = new MemoryNetwork();
  const server = listen({ network, limits });
  const accepted = Promise.withResolvers<Connection>();
  const served = server.serve(async (peer) => {
    accepted.resolve(peer);
    await peer.closed;
  });
  const near = await connect({ network, port: server.port });
  const far = await accepted.promise;
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.abort();
      await server.close();
      await served;
    },
  };
}

Deno.test("Connection.consume() passes the frames of each read until the peer's end", pure, async () => {
  await using pair = await pairOf();
  const batches: (readonly string[])[] = [];
  const consumed = pair.far.consume((batch) => void batches.push(batch));
  pair.near.send("one");
  pair.near.send("two");
  await pair.near.closeWrite();
  await consumed;
  assertEquals(batches, [["one", "two"]]);
});

Deno.test("Connection.consume() passes the good frames, then throws the framing error", pure, async () => {
  await using pair = await pairOf({ maxLine: 3 });
  const lines: string[] = [];
  const consumed = assertRejects(() => pair.far.consume((batch) => void lines.push(...batch)), FramingError);
  pair.near.send("one");
  pair.near.send("three");
  assertEquals((await consumed).code, "line-too-long");
  assertEquals(lines, ["one"]);
  await assertRejects(() => pair.far.consume(() => {}), FramingError, "over the limit");
});

Deno.test(
  "Connection.consume() rejects with the error of its handler, and can be called again",
  pure,
  async () => {
    await using pair = await pairOf();
    const refused = assertRejects(
      () =>
        pair.far.consume(() => {
          throw new RangeError("no more");
        }),
      RangeError,
      "no more",
    );
    pair.near.send("one");
    await refused;
    const lines: string[] = [];
    const consumed = pair.far.consume((batch) => void lines.push(...batch));
    pair.near.send("two");
    await pair.near.closeWrite();
    await consumed;
    assertEquals(lines, ["two"]);
  },
);

for (const way of ["abort", "close"] as const) {
  Deno.test(
    `Connection.consume() rejects with the error of its handler after ${way}()`,
    pure,
    async () => {
      await using pair = await pairOf();
      let ended: unknown;
      const refused = assertRejects(
        () =>
          pair.far.consume(() => {
            ended = pair.far[way]();
            throw new RangeError("no more");
          }),
        RangeError,
        "no more",
      );
      pair.near.send("one");
      await pair.near.closeWrite();
      await refused;
      await ended;
    },
  );
}

Deno.test(
  "Connection.consume() ends when its handler closes this end",
  pure,
  async () => {
    await using pair = await pairOf();
    const consumed = pair.far.consume(() => pair.far.abort());
    pair.near.send("one");
    await consumed;
    assertEquals(pair.far.open, false);
  },
);

Deno.test(
  "Connection.consume() ends when this end is closed, and rejects other readers until then",
  pure,
  async () => {
    await using pair = await pairOf();
    const consumed = pair.far.consume(() => {});
    await assertRejects(() => pair.far.consume(() => {}), TypeError, "twice at once");
    await assertRejects(() => pair.far.batches().next(), TypeError, "twice at once");
    pair.far.abort();
    await consumed;
  },
);

Deno.test(
  "Connection[Symbol.asyncIterator]() yields the peer's lines, and ends at its FIN",
  pure,
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
  pure,
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
  pure,
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
  pure,
  async () => {
    await using raw = await rawPeer();
    const first = raw.connection.batches().next();
    await assertRejects(() => raw.connection.batches().next(), TypeError, "twice at once");
    await raw.say("one\n");
    assertEquals((await first).value, ["one"]);
  },
);

Deno.test(
  "Connection.batches() keeps the first call pending when one iterator is called twice in parallel",
  pure,
  async () => {
    await using raw = await rawPeer();
    const batches = raw.connection.batches();
    const first = batches.next();
    await assertRejects(() => batches.next(), TypeError, "twice at once");
    await raw.say("one\ntwo\n");
    assertEquals((await raw.clock.runUntil(first)).value, ["one", "two"]);
  },
);

Deno.test("Connection reads nothing until a frame is requested", pure, async () => {
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
  pure,
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
  pure,
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
  pure,
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
  pure,
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
