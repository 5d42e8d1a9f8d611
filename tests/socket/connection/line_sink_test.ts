/** Lines as bytes: from reads into memory of the connection, and into memory that all connections share. */
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { Line } from "../../../socket/codecs/line.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { Connection } from "../../../socket/connection.ts";
import type { FrameSink } from "../../../socket/connection/frame_iterator.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { FramingError } from "../../../socket/errors.ts";
import type { Transport } from "../../../socket/network.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { text } from "../../_util/network/transport_pair.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { pure } from "../../_util/permissions.ts";

/** Records what a sink gets. */
class Recorder implements FrameSink<string> {
  readonly calls: string[] = [];
  readonly over = Promise.withResolvers<unknown>();

  take(lines: readonly string[]): void {
    for (const line of lines) this.calls.push(`frame ${line}`);
  }

  takeLine(line: Line): void {
    if (line.text() === "throw") throw new TypeError("thrown by the sink");
    this.calls.push(`line ${line}`);
  }

  linesTaken(): void {
    this.calls.push("taken");
  }

  ended(error?: unknown): void {
    this.over.resolve(error);
  }
}

interface Pair {
  readonly connection: Connection;
  /** Lets these bytes arrive in one read. */
  arrive(bytes: string): Promise<void>;
  /** Lets the peer finish. */
  end(): Promise<void>;
}

function connectionOn(transport: Transport, clock: VirtualClock): Connection {
  return new Connection(transport, new ConnectionSettings({ codec: lineCodec({ maxLine: 10 }), clock }));
}

/** A connection that reads with promises. */
async function promised(clock: VirtualClock): Promise<Pair> {
  const network = new MemoryNetwork();
  const listener = network.listen({ port: 0 });
  const peer = await network.connect({ port: listener.address.port });
  const connection = connectionOn(await listener.accept(), clock);
  listener.close();
  return {
    connection,
    arrive: async (bytes) => {
      await peer.write(text(bytes));
    },
    end: () => peer.closeWrite(),
  };
}

/** A connection that receives into shared memory. */
function received(clock: VirtualClock): Promise<Pair> {
  const transport = new ReadyTransport();
  return Promise.resolve({
    connection: connectionOn(transport, clock),
    arrive: (bytes) => Promise.resolve(transport.deliver(bytes)),
    end: () => Promise.resolve(transport.deliverEnd()),
  });
}

for (const [name, open] of [["promised reads", promised], ["received reads", received]] as const) {
  Deno.test(`Connection.feed() passes lines as bytes, from ${name}, until the peer's end`, pure, async () => {
    const { connection, arrive, end } = await open(new VirtualClock());
    const recorder = new Recorder();
    connection.feed(recorder);
    await arrive("one\ntwo\nthr");
    await arrive("ee\n");
    await arrive("fo");
    await arrive("ur\n");
    await end();
    assertEquals(await recorder.over.promise, undefined);
    const lines = recorder.calls.filter((call) => call !== "taken");
    assertEquals(lines, ["line one", "line two", "line three", "line four"]);
    assert(recorder.calls.length > lines.length);
    assertEquals(connection.stats().framesIn, 4);
    connection.abort();
  });

  Deno.test(
    `Connection.feed() passes the good lines, from ${name}, before a framing error`,
    pure,
    async () => {
      const { connection, arrive } = await open(new VirtualClock());
      const recorder = new Recorder();
      connection.feed(recorder);
      await arrive("one\n12345678901\ntwo\n");
      const error = await recorder.over.promise;
      assertInstanceOf(error, FramingError);
      assertEquals(error.code, "line-too-long");
      assertEquals(recorder.calls, ["line one", "taken"]);
      connection.abort();
    },
  );

  Deno.test(`Connection.feed() ends, on ${name}, with what the sink throws`, pure, async () => {
    const { connection, arrive } = await open(new VirtualClock());
    const recorder = new Recorder();
    connection.feed(recorder);
    await arrive("one\nthrow\ntwo\n");
    assertInstanceOf(await recorder.over.promise, TypeError);
    assertEquals(recorder.calls, ["line one"]);
    connection.abort();
  });

  Deno.test(`Connection.feed() first passes frames that ${name} had decoded before`, pure, async () => {
    const { connection, arrive, end } = await open(new VirtualClock());
    const first = connection[Symbol.asyncIterator]().next();
    await arrive("auth\none\ntwo\nthr");
    assertEquals(await first, { done: false, value: "auth" });
    const recorder = new Recorder();
    connection.feed(recorder);
    await arrive("ee\n");
    await end();
    assertEquals(await recorder.over.promise, undefined);
    assertEquals(recorder.calls, ["frame one", "frame two", "line three", "taken"]);
    connection.abort();
  });
}

Deno.test("Connection.lineSender copies the line, and keeps its place among strings", pure, async () => {
  const clock = new VirtualClock();
  const transport = new ReadyTransport();
  const connection = connectionOn(transport, clock);
  const line = Line.of("message x");
  connection.send("first");
  connection.lineSender.sendLine(line);
  line.bytes.fill(0);
  connection.send("last");
  assertEquals(connection.queuedBytes, 21);
  await clock.advance(0);
  assertEquals(transport.writes, ["first\nmessage x\nlast\n"]);
  assertEquals([connection.stats().framesOut, connection.queuedBytes], [3, 0]);
  connection.abort();
  assertEquals(connection.lineSender.sendLine(line), false);
});

Deno.test("Connection.lineSender throws when the codec is not one of lines", pure, () => {
  const settings = new ConnectionSettings({ codec: rawCodec, clock: new VirtualClock() });
  const connection = new Connection(new ReadyTransport(), settings);
  assertThrows(() => connection.lineSender.sendLine(Line.of("x")), TypeError, "expected a codec of lines");
  assertEquals(connection.stats().framesOut, 0);
  connection.abort();
});
