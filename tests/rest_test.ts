/** Readers with a backlog, and when they leave their turn to others. */
import { assert, assertEquals } from "@std/assert";
import { Inbound } from "../socket/inbound.ts";
import { lineCodec } from "../socket/line_decoder.ts";
import type { Clock, Timer, Transport } from "../socket/network.ts";
import { restOf } from "../socket/rest.ts";

const pure = { permissions: "none" } as const;
const ADDRESS = { hostname: "127.0.0.1", port: 1 };

/** A clock on which each look at the time takes a millisecond. */
class BusyClock implements Clock {
  readonly timers = new Set<() => void>();
  #soon: (() => void)[] = [];
  #now = 0;

  now(): number {
    return this.#now++;
  }

  after(_ms: number, run: () => void): Timer {
    this.timers.add(run);
    return { cancel: () => void this.timers.delete(run) };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Ends the turn, once nothing is left to do in it. */
  async endTurn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    for (const run of this.#soon.splice(0)) run();
  }

  /** Runs the timers there are. */
  ring(): void {
    const timers = [...this.timers];
    this.timers.clear();
    for (const run of timers) run();
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

function reader(clock: Clock, transport: Transport): Inbound<string> {
  return new Inbound({
    transport,
    decoder: lineCodec().decoder(),
    now: () => 0,
    rest: restOf(clock),
    failed: (failure) => assert(failure === undefined),
  });
}

Deno.test("Inbound rests when it has kept the turn to itself for long, and then goes on", pure, async () => {
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
  await clock.endTurn();
  assertEquals([lines, clock.timers.size], [first, 1]); // waits for its timer, and reads nothing
  clock.ring();
  await clock.endTurn();
  assert(lines >= first + 10 * 1024);
  while (clock.timers.size > 0) {
    clock.ring();
    await clock.endTurn();
  }
  await done;
  assertEquals(lines, inbound.bytes / 2);
});

Deno.test("Inbound gives a loop over lines the same turns", pure, async () => {
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
  "Inbound that is stopped at rest gives what was read, ends, and leaves no timer",
  pure,
  async () => {
    const clock = new BusyClock();
    const inbound = reader(clock, endless(FLOOD, 40));
    let lines = 0;
    const done = inbound.consume((batch) => void (lines += batch.length));
    await clock.endTurn();
    assertEquals(clock.timers.size, 1);
    const before = lines;
    inbound.stop();
    assertEquals([lines, clock.timers.size], [before, 0]);
    await done;
    assertEquals(lines, inbound.bytes / 2);
  },
);

Deno.test("Inbound that discards at rest gives no more lines, and reads on", pure, async () => {
  const clock = new BusyClock();
  const inbound = reader(clock, endless(FLOOD, 40));
  let lines = 0;
  const done = inbound.consume((batch) => void (lines += batch.length));
  await clock.endTurn();
  const before = lines;
  const discarded = inbound.discard();
  await done;
  clock.ring();
  await discarded;
  assertEquals([lines, inbound.bytes > 2 * 1024 * 1024], [before, true]);
});

Deno.test("Inbound never rests where its peer has to be waited for", pure, async () => {
  const clock = new BusyClock();
  const inbound = reader(clock, endless(FLOOD.subarray(0, 4000), 1000));
  let lines = 0;
  await inbound.consume((batch) => void (lines += batch.length));
  assertEquals(clock.timers.size, 0);
  assertEquals(lines, inbound.bytes / 2);
});

Deno.test(
  "SharedRest ends for all who rest by one timer, which begins at the end of the turn",
  pure,
  async () => {
    const clock = new BusyClock();
    const lines = [0, 0, 0];
    const done = lines.map((_, index) =>
      reader(clock, endless(FLOOD, 40)).consume((batch) => void (lines[index]! += batch.length))
    );
    await clock.endTurn();
    assertEquals(clock.timers.size, 1);
    const first = [...lines];
    clock.ring();
    assertEquals(lines.map((count, index) => count > first[index]!), [true, true, true]);
    assertEquals(clock.timers.size, 0); // they may be at rest again, but the turn has not ended
    let over = false;
    Promise.all(done).then(() => over = true);
    while (!over) {
      await clock.endTurn();
      clock.ring();
    }
  },
);
