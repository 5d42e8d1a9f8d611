/** A connection over a transport that reads and writes by calls, with memory that all connections share. */
import { assertEquals } from "@std/assert";
import type { Codec } from "../../../socket/codecs/codec.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { Connection } from "../../../socket/connection.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { FramingError } from "../../../socket/errors.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { pure } from "../../_util/permissions.ts";
import { text } from "../../_util/network/transport_pair.ts";

const decoder = new TextDecoder();

/** A connection over a transport that is ready. */
interface Ready<Frame> {
  readonly transport: ReadyTransport;
  readonly connection: Connection<Frame>;
  readonly clock: VirtualClock;
}

function setUpFor<Frame>(codec: Codec<Frame>): Ready<Frame> {
  const clock = new VirtualClock();
  const transport = new ReadyTransport();
  return {
    transport,
    connection: new Connection(transport, new ConnectionSettings({ codec, clock })),
    clock,
  };
}

const setUp = () => setUpFor(lineCodec());

Deno.test("Connection.send() keeps what the socket does not take immediately", pure, async () => {
  const { transport, connection, clock } = setUp();
  transport.room = 5;
  for (const line of ["one", "two", "three"]) connection.send(line);
  await clock.advance(0);
  assertEquals(transport.writes, ["one\nt", "later wo\nthree\n"]);
  transport.room = Infinity;
  connection.send("four");
  await clock.advance(0);
  assertEquals(transport.writes.at(-1), "four\n");
  const { bytesOut, queuedBytes } = connection.stats();
  assertEquals([bytesOut, queuedBytes], [19, 0]);
});

Deno.test("Connection.send() does not change what another connection has left to write", pure, async () => {
  const [one, two] = [setUp(), setUp()];
  one.transport.room = 0;
  let waiting = new Uint8Array();
  one.transport.write = (bytes) => {
    waiting = bytes as Uint8Array<ArrayBuffer>;
    return new Promise(() => {});
  };
  one.connection.send("first");
  await one.clock.advance(0);
  two.connection.send("other");
  await two.clock.advance(0);
  assertEquals([decoder.decode(waiting), two.transport.writes], ["first\n", ["other\n"]]);
});

Deno.test(
  "Connection.send() sends text that might not fit the shared memory, and counts its bytes",
  pure,
  async () => {
    const { transport, connection, clock } = setUp();
    for (const long of ["ü".repeat(40_000), "ü".repeat(21_000), "ü"]) {
      connection.send(long);
      await clock.advance(0);
      assertEquals(transport.writes.at(-1), `${long}\n`);
    }
    assertEquals([connection.stats().bytesOut, connection.queuedBytes], [2 * 61_001 + 3, 0]);
  },
);

Deno.test("Connection ends when a write fails immediately", pure, async () => {
  const { transport, connection, clock } = setUp();
  transport.broken = new Deno.errors.BrokenPipe("Broken pipe");
  connection.send("lost");
  await clock.advance(0);
  assertEquals([(await connection.closed).type, connection.queuedBytes], ["write-failed", 5]);
});

Deno.test(
  "Connection.feed() passes the frames of each read, whatever becomes of its memory",
  pure,
  async () => {
    const { transport, connection, clock } = setUp();
    const reads: (readonly string[])[] = [];
    const ends: unknown[] = [];
    connection.feed({ take: (lines) => void reads.push(lines), ended: (error) => void ends.push(error) });
    const many = Array.from({ length: 3000 }, (_, i) => `${i}`);
    for (const words of ["a\nb\nc", "d\n", "e", `\n${many.join("\n")}\n`]) transport.deliver(words);
    assertEquals(reads.flat(), ["a", "b", "cd", "e", ...many]);
    assertEquals(reads.slice(0, 2), [["a", "b"], ["cd"]]);
    transport.receiver!.receivedEnd();
    assertEquals(ends, [], "not in the middle of a change");
    await clock.advance(0);
    assertEquals([ends, connection.peerEnded], [[undefined], true]);
  },
);

Deno.test("Connection.feed() passes the good frames, then the framing error", pure, async () => {
  const { transport, connection, clock } = setUp();
  const [lines, ends]: [string[], unknown[]] = [[], []];
  connection.feed({ take: (frames) => void lines.push(...frames), ended: (error) => void ends.push(error) });
  transport.deliver(`good\n${"x".repeat(70_000)}`);
  await clock.advance(0);
  assertEquals([lines, ends.length, ends[0] instanceof FramingError], [["good"], 1, true]);
  assertEquals(transport.receiver, undefined, "reads no more");
});

Deno.test("Connection.feed() ends with what take() throws, and loses no later frame", pure, async () => {
  const { transport, connection, clock } = setUp();
  const broken = new TypeError("broken");
  const ends: unknown[] = [];
  connection.feed({
    take() {
      throw broken;
    },
    ended: (error) => void ends.push(error),
  });
  transport.deliver("one\n");
  await clock.advance(0);
  assertEquals([ends, transport.receiver], [[broken], undefined]);
  const lines: string[] = [];
  connection.feed({ take: (frames) => void lines.push(...frames), ended() {} });
  transport.deliver("two\n");
  assertEquals(lines, ["two"]);
});

Deno.test("Connection.feed() reads no more when take() closes the connection", pure, async () => {
  const { transport, connection, clock } = setUp();
  const ends: unknown[] = [];
  connection.feed({ take: () => connection.abort(), ended: (error) => void ends.push(error) });
  transport.deliver("bye\n");
  await clock.advance(0);
  assertEquals([ends, transport.receiver, transport.closed], [[undefined], undefined, true]);
});

Deno.test("Connection.feed() reads no more after take() returned false, until feedOn()", pure, async () => {
  const { transport, connection, clock } = setUp();
  const lines: string[] = [];
  connection.feed({
    take(frames) {
      lines.push(...frames);
      return frames.length > 1;
    },
    ended() {},
  });
  transport.deliver("a\nb\n");
  assertEquals(transport.receiver !== undefined, true, "goes on after true");
  transport.deliver("c\n");
  await clock.advance(0);
  assertEquals([lines, transport.receiver], [["a", "b", "c"], undefined]);
  connection.feedOn();
  connection.feedOn();
  transport.deliver("d\ne\n");
  assertEquals(lines, ["a", "b", "c", "d", "e"]);
});

Deno.test("Connection.feed() ends a sink that takes no more when the connection closes", pure, async () => {
  const { transport, connection, clock } = setUp();
  const ends: unknown[] = [];
  connection.feed({ take: () => false, ended: (error) => void ends.push(error) });
  transport.deliver("a\n");
  connection.abort();
  await clock.advance(0);
  assertEquals(ends, [undefined]);
});

Deno.test("Connection.pass() copies only what the socket does not take within the call", pure, async () => {
  const from = setUpFor(rawCodec);
  const to = setUpFor(rawCodec);
  const waiting: Uint8Array[] = [];
  to.transport.write = (bytes) => {
    waiting.push(bytes);
    return Promise.resolve(bytes.length);
  };
  const taken: boolean[] = [];
  from.connection.feed({
    keepsNothing: true,
    take(pieces) {
      for (const piece of pieces) taken.push(to.connection.pass(piece, from.connection));
    },
    ended() {},
  });
  from.transport.deliver("all of it");
  to.transport.room = 4;
  from.transport.deliver("half of it"); // The transport overwrites it after the call.
  from.transport.deliver("and more"); // While the rest of that is being written.
  assertEquals(taken, [true, false, false]);
  await to.connection.flushed();
  assertEquals(to.transport.writes, ["all of it", "half"]);
  assertEquals(waiting.map((bytes) => decoder.decode(bytes)), [" of it", "and more"]);
  assertEquals([to.connection.stats().bytesOut, to.connection.queuedBytes], [27, 0]);
});

Deno.test("Connection.pass() returns false when the connection has ended", pure, () => {
  const [from, to] = [setUpFor(rawCodec), setUpFor(rawCodec)];
  to.connection.abort();
  assertEquals(to.connection.pass(text("x"), from.connection), false);
  assertEquals(to.transport.writes, []);
});

Deno.test("Connection.close() closes at once when both sides have finished", pure, async () => {
  const { transport, connection, clock } = setUp();
  connection.feed({ take() {}, ended() {} });
  await connection.closeWrite();
  assertEquals(transport.closed, false);
  transport.receiver!.receivedEnd();
  const closed = connection.close();
  assertEquals([transport.closed, clock.timers], [true, 0]);
  assertEquals(await closed, { type: "natural" });
});

Deno.test("Connection.close() announces its FIN with the last bytes of the turn", pure, async () => {
  const { transport, connection, clock } = setUp();
  connection.send("one");
  await clock.advance(0);
  connection.send("last");
  void connection.close();
  await clock.advance(0);
  assertEquals([transport.writes, transport.finsAnnounced], [["one\n", "last\n"], [false, true]]);
  transport.deliverEnd();
  assertEquals(await connection.closed, { type: "natural" });
});
