/** A connection over a transport that writes at the end of its turn. */
import { assertEquals } from "@std/assert";
import { ByteWriter } from "../../../socket/codecs/byte_writer.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { LineRun } from "../../../socket/codecs/line_run.ts";
import { rawCodec } from "../../../socket/codecs/raw_codec.ts";
import { Connection } from "../../../socket/connection.ts";
import type { ConnectionLimits, ConnectionTimeouts } from "../../../socket/connection/options.ts";
import { ConnectionSettings } from "../../../socket/connection/settings.ts";
import type { WriteReceiver } from "../../../socket/network.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { ReadyTransport } from "../../_util/network/ready_transport.ts";
import { text } from "../../_util/network/transport_pair.ts";
import { pure } from "../../_util/permissions.ts";

const decoder = new TextDecoder();

/** Takes what it is given for the end of the turn while `busy`, and has the turn end when the test says so. */
class TurnTransport extends ReadyTransport {
  busy = true;
  closedWrites = 0;
  #pending: { bytes: Uint8Array; receiver: WriteReceiver } | undefined;

  writeSoon(bytes: Uint8Array, length: number, receiver: WriteReceiver, finFollows = false): boolean {
    assertEquals(this.#pending, undefined, "one write at a time");
    if (this.broken !== undefined) throw this.broken;
    if (!this.busy) return false;
    this.finsAnnounced.push(finFollows);
    this.#pending = { bytes: bytes.slice(0, length), receiver };
    return true;
  }

  closeWriteNow(): void {
    assertEquals(this.#pending, undefined, "FIN comes last");
    this.closedWrites++;
  }

  override close(): void {
    super.close();
    this.#pending = undefined;
  }

  /** Ends the turn: the socket takes up to `room` bytes. */
  endTurn(failure?: Error): void {
    this.busy = false;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    const { bytes, receiver } = pending;
    if (failure !== undefined) return receiver.writeFailed(failure);
    const count = Math.min(bytes.length, this.room);
    this.room -= count;
    this.writes.push(`soon ${decoder.decode(bytes.subarray(0, count))}`);
    const rest = bytes.slice(count);
    receiver.written(count, rest);
    rest.fill(0);
  }
}

function open(limits: ConnectionLimits = {}, timeouts: ConnectionTimeouts = {}) {
  const clock = new VirtualClock();
  const transport = new TurnTransport();
  const settings = new ConnectionSettings({ codec: lineCodec(), clock, limits, timeouts });
  const connection = new Connection(transport, settings);
  return { clock, transport, connection, output: connection.lineSender };
}

/** Text without a sign where a frame ends. */
class TextWriter extends ByteWriter {
  push(frame: string): void {
    this.text(frame);
  }
}

function runOf(line: string): LineRun {
  const run = new LineRun();
  run.add(new Line(text(`${line}\n`), 0, line.length));
  return run;
}

Deno.test("Connection.lineSender has a run of lines written at the end of the turn", pure, () => {
  const { transport, connection, output } = open();
  const run = runOf("one");
  assertEquals(output.sendLines(run), true);
  run.bytes.fill(0);
  assertEquals([transport.writes, connection.queuedBytes], [[], 4]);
  transport.endTurn();
  const { framesOut, bytesOut, queuedBytes } = connection.stats();
  assertEquals([transport.writes, framesOut, bytesOut, queuedBytes], [["soon one\n"], 1, 4, 0]);
});

Deno.test("Connection.send() after that in the same turn follows, in order", pure, async () => {
  const { clock, transport, connection, output } = open();
  output.sendLines(runOf("one"));
  output.sendLines(runOf("two"));
  connection.send("three");
  await clock.advance(0);
  assertEquals([transport.writes, connection.queuedBytes], [[], 14]);
  transport.endTurn();
  assertEquals([transport.writes, connection.queuedBytes], [["soon one\n", "two\nthree\n"], 0]);
});

Deno.test(
  "Connection.send() has the frames of a turn written at its end, with the FIN that follows",
  pure,
  async () => {
    const { clock, transport, connection } = open();
    connection.send("one");
    const closing = connection.closeWrite();
    await clock.advance(0);
    assertEquals([transport.writes, transport.closedWrites], [[], 0]);
    transport.endTurn();
    await closing;
    assertEquals([transport.writes, transport.closedWrites], [["soon one\n"], 1]);
    assertEquals(transport.finsAnnounced, [true]);
  },
);

Deno.test(
  "Connection.flushed() waits for the end of the turn, and for what the socket does not take",
  pure,
  async () => {
    const { transport, connection, output } = open();
    transport.room = 2;
    output.sendLines(runOf("one"));
    let flushed = false;
    const flushing = connection.flushed().then(() => flushed = true);
    await Promise.resolve();
    assertEquals(flushed, false);
    transport.endTurn();
    await flushing;
    assertEquals(transport.writes, ["soon on", "later e\n"]);
    assertEquals([connection.stats().bytesOut, connection.queuedBytes], [4, 0]);
  },
);

Deno.test("Connection.send() keeps what the socket does not take at the end of the turn", pure, () => {
  const { transport, output } = open();
  transport.room = 0;
  let waiting = new Uint8Array();
  transport.write = (bytes) => {
    waiting = bytes as Uint8Array<ArrayBuffer>;
    return new Promise(() => {});
  };
  output.sendLines(runOf("one"));
  transport.endTurn(); // It overwrites the memory that it has lent.
  assertEquals(decoder.decode(waiting), "one\n");
});

Deno.test(
  "Connection.closed is a write timeout only that long after the end of the turn",
  pure,
  async () => {
    const { clock, transport, connection, output } = open({}, { write: 1000 });
    await clock.advance(5500);
    transport.room = 2;
    transport.write = () => new Promise(() => {});
    output.sendLines(runOf("one"));
    transport.endTurn();
    await clock.advance(999);
    assertEquals(connection.open, true);
    await clock.advance(1);
    assertEquals(await connection.closed, { type: "timeout", which: "write", ms: 1000 });
  },
);

Deno.test("Connection.send() of a burst in one turn does not make the peer a slow reader", pure, async () => {
  const { clock, transport, connection, output } = open({ writeBuffer: 8, highWater: 4 });
  output.sendLines(runOf("one"));
  assertEquals(connection.send("two and more"), false); // Over the high-water mark.
  transport.endTurn();
  await clock.advance(0);
  assertEquals([connection.open, transport.writes], [true, ["soon one\n", "two and more\n"]]);
});

Deno.test("Connection.closed is write-failed when the write at the end of the turn fails", pure, async () => {
  const { transport, connection, output } = open();
  output.sendLines(runOf("one"));
  const broken = new Deno.errors.BrokenPipe("Broken pipe");
  transport.endTurn(broken);
  assertEquals(await connection.closed, { type: "write-failed", error: broken });
  assertEquals([transport.closed, output.sendLines(runOf("two"))], [true, false]);
});

Deno.test("Connection.closed is write-failed when the write cannot begin", pure, async () => {
  const { transport, connection, output } = open();
  transport.broken = new Deno.errors.BrokenPipe("Broken pipe");
  assertEquals(output.sendLines(runOf("one")), false);
  assertEquals(await connection.closed, { type: "write-failed", error: transport.broken });
});

Deno.test(
  "Connection.send() of a frame without bytes writes nothing, which would fail after the FIN",
  pure,
  async () => {
    for (const busy of [true, false]) {
      const clock = new VirtualClock();
      const transport = new TurnTransport();
      transport.busy = busy;
      const codec = { ...lineCodec(), encoder: () => new TextWriter() };
      const connection = new Connection(transport, new ConnectionSettings({ codec, clock }));
      connection.send("");
      await connection.closeWrite();
      await clock.advance(0);
      // No call of `writeSoon` or `writeNow`.
      assertEquals([transport.closedWrites, transport.finsAnnounced], [1, []]);
    }
  },
);

Deno.test("Connection.abort() drops what it would write at the end of the turn", pure, async () => {
  const { transport, connection, output } = open();
  output.sendLines(runOf("one"));
  connection.abort();
  transport.endTurn();
  assertEquals([transport.writes, connection.queuedBytes], [[], 4]);
  await connection.closed;
});

Deno.test(
  "Connection.pass() has a piece written at the end of the turn, and the next ones after it",
  pure,
  async () => {
    const transport = new TurnTransport();
    const settings = new ConnectionSettings({ codec: rawCodec, clock: new VirtualClock() });
    const connection = new Connection(transport, settings);
    const from = new Connection(new ReadyTransport(), settings);
    const memory = text("one");
    assertEquals(connection.pass(memory, from), true);
    memory.fill(0);
    assertEquals(connection.pass(text("two"), from), false);
    assertEquals(connection.closeWriteNow(), false);
    transport.endTurn();
    await connection.flushed();
    assertEquals([transport.writes, transport.closedWrites], [["soon one", "two"], 1]);
  },
);
