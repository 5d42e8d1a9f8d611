/** The echo on both kinds of reads: by calls into memory that all connections share, and with promises. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { EchoPeer } from "../../../services/echo/echo_peer.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { Connection, type ConnectionOptions } from "../../../socket/connection.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { FramingError } from "../../../socket/errors.ts";
import { MemoryNetwork } from "../../../testing/memory_network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { text } from "../../_util/network/transport_pair.ts";
import { pure } from "../../_util/permissions.ts";

/** An echo on a transport that reads and writes by calls. */
function startReady(limits: ConnectionOptions<string>["limits"] = {}) {
  const clock = new VirtualClock();
  const transport = new ReadyTransport();
  const settings = new ConnectionSettings({ codec: lineCodec({ maxLine: 1000 }), clock, limits });
  const connection = new Connection(transport, settings);
  const count = { messages: 0 };
  return { clock, transport, connection, count, served: EchoPeer.serve(connection, count) };
}

const anyLines = fc.array(fc.record({
  line: fc.string({ unit: "grapheme", maxLength: 300 }).filter((line) => !/[\r\n]/.test(line)),
  end: fc.constantFrom("\n", "\n", "\r\n"),
}));
const anySizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 });

/** Cuts bytes into pieces of these sizes, in turn. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, next = 0; at < bytes.length; next++) {
    yield bytes.subarray(at, at += sizes[next % sizes.length]!);
  }
}

Deno.test(
  "EchoPeer sends back lines with any line ends, from any reads into shared memory",
  pure,
  async () => {
    await fc.assert(fc.asyncProperty(anyLines, anySizes, async (lines, sizes) => {
      const { clock, transport, connection, count, served } = startReady();
      for (const piece of cut(text(lines.map(({ line, end }) => line + end).join("")), sizes)) {
        transport.deliver(piece);
        await clock.advance(0);
      }
      transport.deliverEnd();
      await served;
      assertEquals(transport.writes.join(""), lines.map(({ line }) => `${line}\n`).join(""));
      assertEquals(count.messages, lines.length);
      assertEquals(connection.stats().framesOut, lines.length);
      connection.abort();
    }));
  },
);

Deno.test("EchoPeer sends back lines with any line ends, from any reads with promises", pure, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const settings = new ConnectionSettings({ codec: lineCodec({ maxLine: 1000 }), clock });
  await fc.assert(
    fc.asyncProperty(anyLines, anySizes, async (lines, sizes) => {
      const listener = network.listen({ port: 0 });
      const peer = await clock.runUntil(network.connect({ port: listener.address.port }));
      const connection = new Connection(await listener.accept(), settings);
      const count = { messages: 0 };
      const served = EchoPeer.serve(connection, count).then(() => connection.close());
      for (const piece of cut(text(lines.map(({ line, end }) => line + end).join("")), sizes)) {
        await clock.runUntil(peer.write(piece));
      }
      await peer.closeWrite();
      let echoed = "";
      const into = new Uint8Array(1000);
      const decoder = new TextDecoder();
      for (let size; (size = await clock.runUntil(peer.read(into))) !== null;) {
        echoed += decoder.decode(into.subarray(0, size), { stream: true });
      }
      assertEquals(echoed, lines.map(({ line }) => `${line}\n`).join(""));
      assertEquals(count.messages, lines.length);
      await clock.runUntil(served);
      peer.close();
      listener.close();
    }),
    { numRuns: 30 },
  );
});

Deno.test("EchoPeer reads on only when a client that falls behind has taken everything", pure, async () => {
  const { clock, transport, connection, served } = startReady({ highWater: 4 });
  const taken = Promise.withResolvers<number>();
  transport.write = () => taken.promise;
  transport.room = 3;
  transport.deliver("one\ntwo\nthree\n");
  await clock.advance(0);
  assertEquals([transport.writes, transport.receiver], [["one"], undefined]);
  assertEquals(connection.queuedBytes, 11);
  taken.resolve(11);
  transport.room = Infinity;
  await connection.flushed();
  transport.deliver("four\n");
  assertEquals(transport.writes, ["one", "four\n"]);
  transport.deliverEnd();
  await served;
  connection.abort();
});

Deno.test("EchoPeer ends when a client that falls behind has gone", pure, async () => {
  const { clock, transport, connection, served } = startReady({ highWater: 4 });
  transport.write = () => new Promise(() => {});
  transport.room = 0;
  transport.deliver("one\ntwo\n");
  await clock.advance(0);
  connection.abort();
  await served;
});

Deno.test(
  "EchoPeer sends back the good lines, and rejects with the error of the one after them",
  pure,
  async () => {
    const { transport, connection, count, served } = startReady();
    transport.deliver(`one\ntwo\n${"x".repeat(1001)}\nthree\n`);
    const error = await served.catch((error) => error);
    assertInstanceOf(error, FramingError);
    assertEquals([transport.writes, count.messages], [["one\ntwo\n"], 2]);
    connection.abort();
  },
);
