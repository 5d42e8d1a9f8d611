import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { FramingError } from "../../socket/errors.ts";
import { listen } from "../../socket/listener.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { pure } from "../_util/permissions.ts";

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
