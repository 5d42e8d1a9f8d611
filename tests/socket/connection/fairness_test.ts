/** Readers with a backlog, and when they leave their turn to others. */
import { assert, assertEquals } from "@std/assert";
import { Reader } from "../../../socket/connection/reader.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import type { Transport } from "../../../socket/network.ts";
import type { Clock, Timer } from "../../../internal/clock.ts";
import { restOf } from "../../../socket/connection/fairness.ts";
import { pure } from "../../_util/permissions.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 1 };

/** A clock on which each look at the time takes a millisecond. */
class BusyClock implements Clock {
  #soon: (() => void)[] = [];
  #now = 0;

  now(): number {
    return this.#now++;
  }

  after(): Timer {
    throw new Error("Nothing here has a timer");
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Whether something asked for another turn. */
  get asked(): boolean {
    return this.#soon.length > 0;
  }

  /** Lets everything be done that is left to do, and ends the turn. */
  async endTurn(): Promise<void> {
    await new Promise((resolve) => void setImmediate(resolve));
    for (const run of this.#soon.splice(0)) run();
  }

  /** Ends turns until who rests goes on: until `progress` has changed, or nothing asks for another. Gives how many. */
  async rest(progress: () => number): Promise<number> {
    const before = progress();
    let turns = 0;
    while (progress() === before && this.asked) {
      await this.endTurn();
      turns++;
    }
    return turns;
  }
}

/** A socket that gives `bytes`, again and again, each read at once, and ends after `reads`. */
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

function reader(clock: Clock, transport: Transport): Reader<string> {
  return new Reader({
    transport,
    decoder: lineCodec().decoder(),
    settings: { codec: {}, now: () => 0, rest: restOf(clock) },
    failed: (failure) => assert(failure === undefined),
  });
}

Deno.test(
  "Reader yields when it has kept the event loop busy for long, and then continues",
  pure,
  async () => {
    const clock = new BusyClock();
    const inbound = reader(clock, endless(FLOOD, 40));
    let lines = 0;
    const done = inbound.consume((batch) => {
      assert(batch.length > 0 && batch.length <= 1024);
      lines += batch.length;
    });
    await clock.endTurn();
    const first = lines;
    assert(first >= 10 * 1024 && first < 13 * 1024, `${first} lines in the first turn`);
    assert(await clock.rest(() => lines) > 61, "the runtime may not have looked at the others");
    assert(lines > first);
    while (await clock.rest(() => lines) > 0);
    await done;
    assertEquals(lines, inbound.bytes / 2);
  },
);

Deno.test("Reader yields in a loop over lines, too", pure, async () => {
  const clock = new BusyClock();
  const inbound = reader(clock, endless(FLOOD, 40));
  let lines = 0;
  const done = (async () => {
    for await (const _ of inbound.each()) lines++;
  })();
  await clock.endTurn();
  const first = lines;
  assert(first >= 10 * 1024 && first < 13 * 1024, `${first} lines in the first turn`);
  inbound.stop();
  await done;
});

Deno.test(
  "Reader returns what was read and ends when it is stopped while it yields",
  pure,
  async () => {
    const clock = new BusyClock();
    const inbound = reader(clock, endless(FLOOD, 40));
    let lines = 0;
    const done = inbound.consume((batch) => void (lines += batch.length));
    await clock.endTurn();
    const before = lines;
    inbound.stop();
    assertEquals([lines, clock.asked], [before, true]);
    await done;
    await clock.endTurn();
    assertEquals(clock.asked, false);
    assertEquals(lines, inbound.bytes / 2);
  },
);

Deno.test(
  "Reader returns no more lines, and keeps reading, when it discards while it yields",
  pure,
  async () => {
    const clock = new BusyClock();
    const inbound = reader(clock, endless(FLOOD, 40));
    let lines = 0;
    const done = inbound.consume((batch) => void (lines += batch.length));
    await clock.endTurn();
    const before = lines;
    const discarded = inbound.discard();
    await done;
    await clock.rest(() => inbound.bytes);
    await discarded;
    assertEquals([lines, inbound.bytes > 2 * 1024 * 1024], [before, true]);
  },
);

Deno.test("Reader never yields when it has to wait for its peer", pure, async () => {
  const clock = new BusyClock();
  const inbound = reader(clock, endless(FLOOD.subarray(0, 4000), 1000));
  let lines = 0;
  await inbound.consume((batch) => void (lines += batch.length));
  assertEquals(clock.asked, false);
  assertEquals(lines, inbound.bytes / 2);
});

Deno.test("FairScheduler ends in the same turn for every connection that yields", pure, async () => {
  const clock = new BusyClock();
  const lines = [0, 0, 0];
  const done = lines.map((_, index) =>
    reader(clock, endless(FLOOD, 40)).consume((batch) => void (lines[index]! += batch.length))
  );
  await clock.endTurn();
  const first = [...lines];
  await clock.rest(() => lines[0]!);
  assertEquals(lines.map((count, index) => count > first[index]!), [true, true, true]);
  let over = false;
  Promise.all(done).then(() => over = true);
  while (!over) await clock.endTurn();
});
