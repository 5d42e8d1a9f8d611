/** Codecs that throw, or break their contract: each ends only the connection that it belongs to. */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { Codec, Decoder, Encoder } from "../../../socket/codecs/codec.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { Connection } from "../../../socket/connection.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { type CloseReason, ConnectionClosedError } from "../../../socket/errors.ts";
import { connect } from "../../../socket/connect.ts";
import { listen } from "../../../socket/listen.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { rawPeer } from "../../_util/network/raw_peer.ts";
import { pure } from "../../_util/permissions.ts";
import { on } from "../../_util/on_event.ts";

const BYTES = new Uint8Array([1, 2, 3]);
const NOTHING = new Uint8Array(0);
const mistake = new RangeError("broken");
const broken = (): never => {
  throw mistake;
};

function codec(encoder: Partial<Encoder<string>>, decoder: Partial<Decoder<string>> = {}): Codec<string> {
  return {
    copies: true,
    encoder: () =>
      Object.defineProperties(lineCodec().encoder(), {
        // The line codec takes into shared memory, which the cases must ask for.
        takeInto: { value: undefined },
        ...Object.getOwnPropertyDescriptors(encoder),
      }),
    decoder: () => Object.assign(lineCodec().decoder(), decoder),
  };
}

/** An encoder that keeps `kept` bytes pending, whatever is taken. */
function keeping(kept: number, taken: Uint8Array): Codec<string> {
  let size = 0;
  return codec({
    get size() {
      return size;
    },
    push: () => void (size = kept),
    take: () => taken,
  });
}

const ENCODERS: Readonly<Record<string, readonly [Codec<string>, message: string]>> = {
  "keeps bytes that were taken": [
    keeping(3, BYTES),
    "Cannot use the encoder of the codec: expected size 0 after its bytes were taken, got size 3",
  ],
  "returns nothing while bytes are pending": [
    keeping(3, NOTHING),
    "Cannot use the encoder of the codec: expected size 0 after its bytes were taken, got size 3",
  ],
  "returns no bytes": [
    codec({ take: () => ({}) as Uint8Array }),
    "Cannot use the encoder of the codec: expected bytes, got length undefined",
  ],
  "throws from take()": [codec({ take: broken }), "broken"],
  "throws from takeInto()": [codec({ takeInto: broken }), "broken"],
  "keeps bytes after takeInto()": [
    codec({ takeInto: () => 2 }),
    "Cannot use the encoder of the codec: expected size 0 after its bytes were taken, got size 2",
  ],
  "returns no number from takeInto()": [
    codec({ takeInto: () => NaN }),
    "Cannot use the encoder of the codec: expected bytes, got length NaN",
  ],
  "returns more from takeInto() than there was room for": [
    codec({ takeInto: () => 2 ** 30 }),
    "Cannot use the encoder of the codec: expected bytes, got length 1073741824",
  ],
  "counts no number of bytes": [
    keeping(NaN, BYTES),
    "Cannot use the encoder of the codec: expected a number from 0, got size NaN",
  ],
};

for (const [what, [codec, message]] of Object.entries(ENCODERS)) {
  Deno.test(
    `Connection.send() ends only its own connection when the encoder ${what}`,
    pure,
    async () => {
      const clock = new VirtualClock();
      const total = { queuedBytes: 0 };
      const [bad, good] = [new ReadyTransport(), new ReadyTransport()];
      const victim = new Connection(bad, new ConnectionSettings({ codec, clock, total }));
      const other = new Connection(good, new ConnectionSettings({ codec: lineCodec(), clock, total }));
      victim.send("x");
      other.send("y");
      const flushed = victim.flushed().catch((error: unknown) => error);
      await clock.advance(0);
      const reason = await victim.closed;
      assertEquals([reason.type, messageOf(reason)], ["handler-failed", message]);
      assertEquals([bad.closed, bad.writes], [true, []]);
      // A size that cannot be counted adds nothing.
      if (!message.includes("NaN")) assertInstanceOf(await flushed, ConnectionClosedError);
      await other.flushed();
      assertEquals(good.writes, ["y\n"]);
      assertEquals(total.queuedBytes, 0);
    },
  );
}

Deno.test("Connection.closeWrite() rejects when the encoder keeps bytes that were taken", pure, async () => {
  const clock = new VirtualClock();
  const connection = new Connection(
    new ReadyTransport(),
    new ConnectionSettings({ codec: keeping(3, BYTES), clock }),
  );
  connection.send("x");
  const ended = assertRejects(() => connection.closeWrite(), ConnectionClosedError, "handler-failed");
  await clock.advance(0);
  await ended;
});

Deno.test("Connection.send() sends what an encoder kept when its push() threw", pure, async () => {
  const clock = new VirtualClock();
  const transport = new ReadyTransport();
  let size = 0;
  const failing = codec({
    get size() {
      return size;
    },
    push: (frame) => {
      size += 3;
      if (frame === "bad") throw mistake;
    },
    take: () => {
      const taken = new Uint8Array(size).fill(120);
      size = 0;
      return taken;
    },
  });
  const connection = new Connection(transport, new ConnectionSettings({ codec: failing, clock }));
  await assertRejects(async () => await connection.send("bad"), RangeError, "broken");
  connection.send("good");
  await clock.advance(0);
  await connection.flushed();
  assertEquals(transport.writes, ["xxxxxx"]);
  assertEquals(connection.queuedBytes, 0);
});

for (const method of ["push", "end"] as const) {
  Deno.test(`Connection.consume() ends when ${method}() of the decoder throws`, pure, async () => {
    const transport = new ReadyTransport();
    const clock = new VirtualClock();
    const connection = new Connection(
      transport,
      new ConnectionSettings({ codec: codec({}, { [method]: broken }), clock }),
    );
    const lines: string[] = [];
    const consumed = connection.consume((batch) => void lines.push(...batch));
    const receiver = transport.receiver!;
    if (method === "push") transport.deliver("x\n");
    else receiver.receivedEnd();
    await consumed;
    assertEquals(await connection.closed, { type: "handler-failed", error: mistake });
    assertEquals([transport.closed, lines], [true, []]);
  });
}

Deno.test("listen() reports a broken decoder to onError, and serves other connections", pure, async () => {
  const network = new MemoryNetwork();
  const errors: Error[] = [];
  const reasons: CloseReason["type"][] = [];
  let connections = 0;
  const shaky: Codec<string> = {
    encoder: () => lineCodec().encoder(),
    decoder: () =>
      connections++ === 0 ? Object.assign(lineCodec().decoder(), { push: broken }) : lineCodec().decoder(),
  };
  await using server = listen({
    network,
    port: 7,
    codec: shaky,
    onEvent: on("closed", ({ reason }) => reasons.push(reason.type)),
    onError: (error) => errors.push(error),
  });
  server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const [first, second] = [await network.connect({ port: 7 }), await network.connect({ port: 7 })];
  await first.write(new TextEncoder().encode("x\n"));
  assertEquals(await first.read(new Uint8Array(8)), null);
  await second.write(new TextEncoder().encode("y\n"));
  assertEquals(await second.read(new Uint8Array(8)), 2);
  await server.until((stats) => stats.closed["handler-failed"] === 1);
  assertEquals([errors, reasons], [[mistake], ["handler-failed"]]);
  first.close();
  second.close();
});

Deno.test("listen() refuses only the peer whose connection the codec cannot begin", pure, async () => {
  const network = new MemoryNetwork();
  const errors: string[] = [];
  let connections = 0;
  const codec = { ...lineCodec(), encoder: () => connections++ % 2 === 0 ? broken() : lineCodec().encoder() };
  const onError = (error: Error) => void errors.push(error.message);
  const limits = { maxConnections: 1 };
  await using server = listen({ network, port: 7, codec, onError, limits, refusal: () => "no room" });
  void server.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  const unlucky = await network.connect({ port: 7 });
  assertEquals(await unlucky.read(new Uint8Array(1)), null);
  await using served = await connect({ network, port: 7 });
  const replies = served[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<string> => {
    served.send(line);
    return (await replies.next()).value;
  };
  assertEquals(await ask("hello"), "hello");
  const refused = await network.connect({ port: 7 }); // The codec breaks for refused peers as well.
  assertEquals(await refused.read(new Uint8Array(1)), null);
  assertEquals(await ask("again"), "again");
  assertEquals(errors, ["broken", "broken"]);
  unlucky.close();
  refused.close();
});

Deno.test("listen() reports a refusal that the codec cannot carry", pure, async () => {
  const network = new MemoryNetwork();
  const errors: Error[] = [];
  await using server = listen({
    network,
    port: 7,
    limits: { maxConnections: 1 },
    refusal: (why) => `${why}\n`,
    onError: (error) => void errors.push(error),
  });
  void server.serve(async (peer) => await peer.closed.then(() => {}));
  await using _ = await connect({ network, port: 7 });
  await server.until(({ connections }) => connections === 1);
  const refused = await network.connect({ port: 7 });
  assertEquals(await refused.read(new Uint8Array(1)), null);
  assertEquals(errors.map(({ name }) => name), ["TypeError"]);
  refused.close();
});

Deno.test("listen() aborts a connection whose decoder returns nothing", pure, async () => {
  const network = new MemoryNetwork();
  const errors: string[] = [];
  const onError = (error: Error) => void errors.push(error.name);
  const nothing = codec({}, { push: () => ({}) as ReturnType<Decoder<string>["push"]> });
  await using server = listen({ network, port: 7, codec: nothing, onError });
  void server.serve(async (peer) => {
    for await (const _ of peer);
  });
  const peer = await network.connect({ port: 7 });
  await peer.write(new TextEncoder().encode("x\n"));
  await server.until(({ closed }) => closed["handler-failed"] === 1);
  assertEquals(errors, ["TypeError"]);
  peer.close();
});

Deno.test("Connection.close() reports a broken encoder instead of its own reason", pure, async () => {
  await using raw = await rawPeer({ codec: keeping(3, BYTES) });
  raw.connection.send("x");
  const closed = raw.connection.close({ type: "local", why: "replaced" });
  await raw.clock.advance(0);
  assertEquals((await closed).type, "handler-failed");
});

function messageOf(reason: CloseReason): string {
  return reason.type === "handler-failed" ? reason.error.message : reason.type;
}
