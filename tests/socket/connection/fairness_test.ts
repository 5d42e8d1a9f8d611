/** Readers with a backlog yield to other connections. @module */
import { assert, assertEquals } from "@std/assert";
import { Reader } from "../../../socket/connection/reader.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import type { Transport } from "../../../socket/network.ts";
import type { Clock, Timer } from "../../../internal/clock.ts";
import { fairSchedulerOf } from "../../../socket/connection/fairness.ts";
import { pure } from "../../_util/permissions.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 1 };

/** A clock that advances by a millisecond whenever it is read. */
class BusyClock implements Clock {
  #soon: (() => void)[] = [];
  #now = 0;

  now(): number {
    return this.#now++;
  }

  after(): Timer {
    throw new Error("Cannot start a timer: no reader needs one");
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Whether another turn is scheduled. */
  get scheduled(): boolean {
    return this.#soon.length > 0;
  }

  /** Runs what this turn has left to do, and ends it. */
  async endTurn(): Promise<void> {
    await new Promise((resolve) => void setImmediate(resolve));
    for (const run of this.#soon.splice(0)) run();
  }

  /** Ends turns until `progress` changes, or no other turn is scheduled. Returns the number of turns. */
  async pause(progress: () => number): Promise<number> {
    const before = progress();
    let turns = 0;
    while (progress() === before && this.scheduled) {
      await this.endTurn();
      turns++;
    }
    return turns;
  }
}

/** A socket whose reads return `bytes` immediately, and that ends after `reads` of them. */
function endless(bytes: Uint8Array, reads: number): Transport {
  return {
    local: ADDRESS,
    remote: ADDRESS,
    read: (into) => {
      if (reads-- === 0) return Promise.resolve(null);
      const read = Math.min(into.length, bytes.length);
      into.set(bytes.subarray(0, read));
      return Promise.resolve(read);
    },
    write: (written) => Promise.resolve(written.length),
    closeWrite: () => Promise.resolve(),
    close() {},
  };
}

const FLOOD = new TextEncoder().encode("x\n".repeat(32 * 1024));

function readerOf(clock: Clock, transport: Transport, halfEnded = () => {}): Reader<string> {
  const codec = { decoder: () => lineCodec().decoder() };
  const settings = { codec, now: () => 0, fairness: fairSchedulerOf(clock) };
  return new Reader(transport, settings, {
    fail: (failure) => assert(failure === undefined),
    halfEnded,
  });
}

Deno.test(
  "Reader yields when it has kept the event loop busy for long, and then continues",
  pure,
  async () => {
    const clock = new BusyClock();
    const reader = readerOf(clock, endless(FLOOD, 40));
    let lines = 0;
    const done = reader.consume((batch) => {
      assert(batch.length > 0 && batch.length <= 1024);
      lines += batch.length;
    });
    await clock.endTurn();
    const first = lines;
    assert(first >= 10 * 1024 && first < 13 * 1024, `${first} lines in the first turn`);
    assert(await clock.pause(() => lines) > 61, "the runtime may not have polled the other sockets");
    assert(lines > first);
    while (await clock.pause(() => lines) > 0);
    await done;
    assertEquals(lines, reader.bytes / 2);
  },
);

Deno.test("Reader yields in a loop over lines, too", pure, async () => {
  const clock = new BusyClock();
  const reader = readerOf(clock, endless(FLOOD, 40));
  let lines = 0;
  const done = (async () => {
    for await (const _ of reader.each()) lines++;
  })();
  await clock.endTurn();
  const first = lines;
  assert(first >= 10 * 1024 && first < 13 * 1024, `${first} lines in the first turn`);
  reader.stop();
  await done;
});

Deno.test(
  "Reader passes a large read in parts to a sink that takes lines as bytes, too, and yields",
  pure,
  async () => {
    const clock = new BusyClock();
    const reader = readerOf(clock, endless(FLOOD, 40));
    let lines = 0;
    const over = Promise.withResolvers<unknown>();
    reader.feed({
      take: (batch) => {
        assert(batch.length > 0 && batch.length <= 1024);
        lines += batch.length;
      },
      takeLine: () => void lines++,
      ended: (error) => over.resolve(error),
    });
    await clock.endTurn();
    const first = lines;
    assert(first >= 10 * 1024 && first < 13 * 1024, `${first} lines in the first turn`);
    assert(await clock.pause(() => lines) > 61, "the runtime may not have polled the other sockets");
    assert(lines > first);
    while (await clock.pause(() => lines) > 0);
    assertEquals(await over.promise, undefined);
    assertEquals(lines, reader.bytes / 2);
  },
);

Deno.test(
  "Reader passes a read as bytes below the size of a large one, and as frames from there on",
  pure,
  async () => {
    for (const [size, asBytes] of [[4094, true], [4096, false]] as const) {
      // The buffer grows: two reads fill 512 and 2048 bytes, and the third has room for all.
      const reader = readerOf(new BusyClock(), endless(FLOOD.subarray(0, size), 3));
      const before = (512 + 2048) / 2;
      const counts = { frames: 0, lines: 0 };
      const over = Promise.withResolvers<unknown>();
      reader.feed({
        take: (batch) => void (counts.frames += batch.length),
        takeLine: () => void counts.lines++,
        ended: (error) => over.resolve(error),
      });
      await over.promise;
      const [frames, lines] = asBytes ? [0, before + size / 2] : [size / 2, before];
      assertEquals(counts, { frames, lines });
    }
  },
);

Deno.test(
  "Reader returns what was read and ends when it is stopped while it yields",
  pure,
  async () => {
    const clock = new BusyClock();
    const reader = readerOf(clock, endless(FLOOD, 40));
    let lines = 0;
    const done = reader.consume((batch) => void (lines += batch.length));
    await clock.endTurn();
    const before = lines;
    reader.stop();
    assertEquals([lines, clock.scheduled], [before, true]);
    await done;
    await clock.endTurn();
    assertEquals(clock.scheduled, false);
    assertEquals(lines, reader.bytes / 2);
  },
);

Deno.test(
  "Reader returns no more lines, and keeps reading, when it discards while it yields",
  pure,
  async () => {
    const clock = new BusyClock();
    const ended = Promise.withResolvers<void>();
    const reader = readerOf(clock, endless(FLOOD, 40), ended.resolve);
    let lines = 0;
    const done = reader.consume((batch) => void (lines += batch.length));
    await clock.endTurn();
    const before = lines;
    reader.discard();
    await done;
    await clock.pause(() => reader.bytes);
    await ended.promise;
    assertEquals([lines, reader.bytes > 2 * 1024 * 1024], [before, true]);
  },
);

Deno.test("Reader never yields when it has to wait for its peer", pure, async () => {
  const clock = new BusyClock();
  const reader = readerOf(clock, endless(FLOOD.subarray(0, 4000), 1000));
  let lines = 0;
  await reader.consume((batch) => void (lines += batch.length));
  assertEquals(clock.scheduled, false);
  assertEquals(lines, reader.bytes / 2);
});

Deno.test("FairScheduler ends in the same turn for every connection that yields", pure, async () => {
  const clock = new BusyClock();
  const lines = [0, 0, 0];
  const done = lines.map((_, index) =>
    readerOf(clock, endless(FLOOD, 40)).consume((batch) => void (lines[index]! += batch.length))
  );
  await clock.endTurn();
  const first = [...lines];
  await clock.pause(() => lines[0]!);
  assertEquals(lines.map((count, index) => count > first[index]!), [true, true, true]);
  let over = false;
  Promise.all(done).then(() => over = true);
  while (!over) await clock.endTurn();
});
