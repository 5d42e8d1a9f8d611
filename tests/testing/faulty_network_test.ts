import { assert, assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { type Fault, type Faults, faultyNetwork } from "../../testing/faulty_network.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { randomStream } from "../../loadtest/plan/seeded_random.ts";
import { readText, text, type TransportPair, transportPair } from "../_util/network/transport_pair.ts";

const permissions = "none";

/** A pair whose near end is struck, never its far end. */
async function struckPair(
  faults: Faults,
  options: { seed?: number } = {},
): Promise<{ pair: TransportPair; clock: VirtualClock; network: MemoryNetwork; struck: Fault[] }> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const struck: Fault[] = [];
  const random = randomStream(options.seed ?? 1, "fault");
  const faulty = faultyNetwork({ network, clock, faults, random, onFault: (fault) => struck.push(fault) });
  const pair = await clock.runUntil(transportPair({
    listen: (bind) => network.listen(bind),
    connect: (dial) => faulty.connect(dial),
  }));
  return { pair, clock, network, struck };
}

Deno.test("faultyNetwork() slices reads and writes and loses nothing", { permissions }, async () => {
  const { pair, clock } = await struckPair({ slice: true });
  using _pair = pair;
  const sent = "0123456789".repeat(30);
  const sizes: number[] = [];
  for (let left = text(sent); left.length > 0;) {
    const count = await pair.near.write(left);
    sizes.push(count);
    left = left.subarray(count);
  }
  assert(sizes.every((size) => size >= 1 && size <= 64));
  assertGreater(new Set(sizes).size, 3);
  await pair.near.closeWrite();
  await clock.advance(0);
  let got = "";
  for (let part; (part = await clock.runUntil(readText(pair.far))) !== null;) {
    got += part;
    await pair.far.write(text(part));
  }
  assertEquals(got, sent);
  await pair.far.closeWrite();
  await clock.advance(0);
  let back = "";
  for (let part; (part = await readText(pair.near)) !== null; back += part) assert(part.length <= 64);
  assertEquals(back, sent);
});

Deno.test("faultyNetwork() resets every selected connection within its first operations", {
  permissions,
}, async () => {
  const when = new Set<number>();
  for (let seed = 1; seed <= 40; seed++) {
    const { pair, clock, network, struck } = await struckPair({ reset: 1 }, { seed });
    let written = 0;
    const error = await assertRejects(async () => {
      for (;;) written += await pair.near.write(text("x"));
    }, Deno.errors.ConnectionReset);
    assertEquals(Reflect.get(error, "code"), "ECONNRESET");
    when.add(written);
    assertEquals(struck, [{ type: "reset", local: pair.near.local, remote: pair.near.remote }]);
    await clock.advance(0);
    if (written > 0) assertEquals(await readText(pair.far), "x".repeat(written));
    await assertRejects(() => readText(pair.far), Deno.errors.ConnectionReset);
    await assertRejects(() => pair.near.write(text("x")), Deno.errors.BrokenPipe);
    await pair.near.closeWrite();
    pair[Symbol.dispose]();
    assertEquals(network.stats(), { listeners: 0, sockets: 0, queued: 0 });
  }
  assertEquals([...when].sort(), [0, 1, 2, 3]);
});

Deno.test("faultyNetwork() discards read bytes at a reset, and fails one read", {
  permissions,
}, async () => {
  const { pair, clock } = await struckPair({ reset: 1 });
  using _pair = pair;
  let read = 0;
  await assertRejects(async () => {
    for (;; read++) {
      await pair.far.write(text("x"));
      await clock.runUntil(readText(pair.near));
    }
  }, Deno.errors.ConnectionReset);
  assert(read < 4);
  assertEquals(await readText(pair.near), null);
});

Deno.test("faultyNetwork() fails the pending read at a reset, and not the close that follows", {
  permissions,
}, async () => {
  const { pair } = await struckPair({ reset: 1 });
  using _pair = pair;
  const reading = assertRejects(() => readText(pair.near), Deno.errors.ConnectionReset);
  await assertRejects(async () => {
    for (;;) await pair.near.write(text("x"));
  }, Deno.errors.ConnectionReset);
  await reading;
});

Deno.test("faultyNetwork() stalls once for the given time", { permissions }, async () => {
  const { pair, clock, struck } = await struckPair({ stall: 1, stallMs: 700 });
  using _pair = pair;
  const writing = (async () => {
    for (let i = 0; i < 10; i++) await pair.near.write(text("x"));
  })();
  await clock.runUntil(writing);
  assertEquals(clock.now(), 700);
  assertEquals(struck.map((fault) => fault.type), ["stall"]);
  assertEquals(clock.timers, 0);
});

Deno.test("faultyNetwork() ends a stall when the connection closes", { permissions }, async () => {
  const { pair, clock } = await struckPair({ stall: 1 });
  using _pair = pair;
  const writing = assertRejects(async () => {
    for (;;) await pair.near.write(text("x"));
  }, Deno.errors.Interrupted);
  await clock.advance(1);
  pair.near.close();
  await writing;
  assertEquals(clock.timers, 0);
});

Deno.test(
  "faultyNetwork() affects the given share, and the same connections for a seed",
  { permissions },
  async () => {
    async function struckPorts(seed: number): Promise<number[]> {
      const clock = new VirtualClock();
      const network = new MemoryNetwork({ clock });
      const ports: number[] = [];
      const faulty = faultyNetwork({
        network,
        clock,
        random: randomStream(seed, "fault"),
        faults: { reset: 0.2 },
        onFault: (fault) => ports.push(fault.local.port),
      });
      using listener = Object.assign(network.listen({ port: 7 }), {
        [Symbol.dispose]: () => listener.close(),
      });
      for (let i = 0; i < 500; i++) {
        const near = await clock.runUntil(faulty.connect({ port: 7 }));
        const strikes = ports.length;
        for (let writes = 0; writes < 10 && ports.length === strikes; writes++) {
          await near.write(text("x")).catch((error) => assert(error instanceof Deno.errors.ConnectionReset));
        }
        near.close();
      }
      return ports;
    }
    const ports = await struckPorts(3);
    assert(ports.length > 70 && ports.length < 130, String(ports.length)); // 100 expected, sigma 9
    assertEquals(await struckPorts(3), ports);
  },
);

Deno.test("faultyNetwork() throws for an invalid share", { permissions }, () => {
  const network = new MemoryNetwork();
  assertThrows(() => faultyNetwork({ network, faults: { reset: 1.5 } }), RangeError, "share 1.5");
  assertThrows(() => faultyNetwork({ network, faults: { stall: NaN } }), RangeError, "share NaN");
});

Deno.test("faultyNetwork() affects accepted connections, too", { permissions }, async () => {
  const network = new MemoryNetwork();
  const struck: Fault[] = [];
  const faulty = faultyNetwork({ network, faults: { reset: 1 }, onFault: (fault) => struck.push(fault) });
  const listener = faulty.listen({ port: 7 });
  const near = await network.connect({ port: 7 });
  const far = await listener.accept();
  await assertRejects(async () => {
    for (;;) await far.write(text("x"));
  }, Deno.errors.ConnectionReset);
  assertEquals(struck.map((fault) => fault.local), [far.local]);
  for (const each of [near, far, listener]) each.close();
});
