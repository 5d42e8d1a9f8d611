/** Lines that are sent from the memory in which they lie, and a sink of lines that takes no more. */
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { Line } from "../../../socket/codecs/line.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { LineRun } from "../../../socket/codecs/line_run.ts";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { Connection } from "../../../socket/connection.ts";
import type { ConnectionLimits } from "../../../socket/connection/options.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { text } from "../../_util/network/transport_pair.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { pure } from "../../_util/permissions.ts";

/** Returns the lines of a text, each with its LF. */
function runOf(lines: string): LineRun {
  const run = new LineRun();
  const bytes = text(lines);
  for (let start = 0, end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) {
    run.add(new Line(bytes, start, end));
  }
  return run;
}

/** Opens a connection that writes by calls. */
function open(limits: ConnectionLimits = {}) {
  const clock = new VirtualClock();
  const transport = new ReadyTransport();
  const settings = new ConnectionSettings({ codec: lineCodec(), clock, limits });
  const connection = new Connection(transport, settings);
  return { clock, transport, connection, output: connection.lineSender };
}

Deno.test("Connection.lineSender writes a run of lines within the call", pure, () => {
  const { transport, connection, output } = open();
  assertEquals(output.sendLines(runOf("one\ntwo\n")), true);
  assertEquals(transport.writes, ["one\ntwo\n"]);
  const { framesOut, bytesOut, queuedBytes } = connection.stats();
  assertEquals([framesOut, bytesOut, queuedBytes], [2, 8, 0]);
  connection.abort();
});

Deno.test("Connection.lineSender writes a run from any place in its memory", pure, () => {
  const { transport, connection, output } = open();
  const run = new LineRun();
  run.add(new Line(text("zero\none\n"), 5, 8));
  output.sendLines(run);
  assertEquals(transport.writes, ["one\n"]);
  connection.abort();
});

Deno.test("Connection.lineSender queues a run behind what is pending, as a copy", pure, async () => {
  const { clock, transport, connection, output } = open();
  connection.send("first");
  const run = runOf("one\ntwo\n");
  output.sendLines(run);
  run.bytes.fill(0);
  output.sendLine(Line.of("last"));
  assertEquals([transport.writes, connection.queuedBytes], [[], 19]);
  await clock.advance(0);
  assertEquals(transport.writes, ["first\none\ntwo\nlast\n"]);
  assertEquals([connection.stats().framesOut, connection.queuedBytes], [4, 0]);
  connection.abort();
});

Deno.test("Connection.lineSender queues what the socket does not take of a run", pure, async () => {
  const { clock, transport, connection, output } = open();
  transport.room = 5;
  const run = runOf("one\ntwo\n");
  assertEquals(output.sendLines(run), true);
  run.bytes.fill(0);
  output.sendLine(Line.of("last"));
  assertEquals([transport.writes, connection.queuedBytes], [["one\nt"], 8]);
  await clock.advance(0);
  assertEquals(transport.writes, ["one\nt", "later wo\nlast\n"]);
  const { framesOut, bytesOut } = connection.stats();
  assertEquals([framesOut, bytesOut], [3, 13]);
  connection.abort();
});

Deno.test(
  "Connection.lineSender does not count a burst of one turn as the fault of a slow reader",
  pure,
  async () => {
    const { clock, transport, connection, output } = open({ writeBuffer: 6, highWater: 4 });
    transport.room = 1;
    assertEquals(output.sendLines(runOf("one\ntwo\n")), false); // Over the high-water mark
    assertEquals(output.sendLines(runOf("three\n")), false);
    assertEquals(connection.open, true);
    await clock.advance(0);
    assertEquals(transport.writes, ["o", "later ne\ntwo\nthree\n"]);
    connection.abort();
  },
);

Deno.test(
  "Connection.lineSender closes the connection when the socket fails, and then refuses runs",
  pure,
  async () => {
    const { transport, connection, output } = open();
    transport.broken = new Error("broken pipe");
    assertEquals(output.sendLines(runOf("one\n")), false);
    assertEquals((await connection.closed).type, "write-failed");
    assertEquals(output.sendLines(runOf("two\n")), false);
    assertEquals(connection.stats().framesOut, 0);
  },
);

Deno.test("Connection.lineSender throws for a run when the codec is not one of lines", pure, () => {
  const settings = new ConnectionSettings({ codec: rawCodec, clock: new VirtualClock() });
  const connection = new Connection(new ReadyTransport(), settings);
  assertThrows(
    () => connection.lineSender.sendLines(runOf("x\n")),
    TypeError,
    "expected a codec of lines",
  );
  connection.abort();
});

Deno.test("Connection.feed() reads no more while a sink of lines is full, until feedOn()", pure, () => {
  const { transport, connection } = open();
  const lines: string[] = [];
  let mayReadOn = false;
  connection.feed({
    take: () => {},
    takeLine: (line) => void lines.push(line.text()),
    linesTaken: () => mayReadOn,
    ended: () => {},
  });
  transport.deliver("one\ntwo\nthr");
  assertEquals([lines, transport.receiver], [["one", "two"], undefined]);
  mayReadOn = true;
  connection.feedOn();
  transport.deliver("ee\n");
  assertEquals([lines, transport.receiver === undefined], [["one", "two", "three"], false]);
  connection.abort();
});

Deno.test("Connection.feed() ends with what linesTaken() throws", pure, async () => {
  const { transport, connection } = open();
  const over = Promise.withResolvers<unknown>();
  connection.feed({
    take: () => {},
    takeLine: () => {},
    linesTaken() {
      throw new TypeError("thrown by the sink");
    },
    ended: over.resolve,
  });
  transport.deliver("one\n");
  assertInstanceOf(await over.promise, TypeError);
  connection.abort();
});
