import { assertEquals } from "@std/assert";
import { foreign, network as maybeNetwork } from "../_util/native/native.ts";
import { readText, text, transportPair } from "../_util/transport_pair.ts";
import { until } from "../_util/until.ts";

const network = maybeNetwork!;

Deno.test("EventLoop runs only while an operation waits", foreign, async () => {
  {
    using pair = await transportPair(network);
    await until(() => !network.stats().running);
    const reading = readText(pair.far);
    assertEquals([network.stats().waiting, network.stats().running], [1, true]);
    await pair.near.write(text("x"));
    await reading;
    await until(() => !network.stats().running);
    // Open connections that nothing waits for: the loop is at rest.
    assertEquals(network.stats().open, 3);
  }
  const { open, waiting, running } = network.stats();
  assertEquals({ open, waiting, running }, { open: 0, waiting: 0, running: false });
});

Deno.test(
  "EventLoop stops looking at a connection that its peer has reset and nothing reads",
  foreign,
  async () => {
    using pair = await transportPair(network);
    using other = await transportPair(network);
    pair.near.reset!();
    // While the loop runs for another connection, the hang-up must not come again and again.
    const reading = readText(other.far);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    await other.near.write(text("still served"));
    assertEquals(await reading, "still served");
  },
);

Deno.test("EventLoop serves more busy connections than fit in a turn evenly", foreign, async () => {
  const listener = network.listen({ port: 0 });
  const counts: number[] = [];
  const ends = [];
  let over = false;
  for (let index = 0; index < 300; index++) {
    const [near, far] = await Promise.all([
      network.connect({ port: listener.address.port }),
      listener.accept(),
    ]);
    ends.push(near, far);
    counts.push(0);
  }
  const busy = ends.map(async (end, index) => {
    const buffer = new Uint8Array(16);
    if (index % 2 === 0) await end.write(text("ping\n"));
    while (!over) {
      const count = await end.read(buffer).catch(() => null);
      if (count === null || over) return;
      if (index % 2 === 0) counts[index / 2]!++;
      await end.write(buffer.subarray(0, count));
    }
  });
  await until(() => counts.every((count) => count >= 10));
  over = true;
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  for (const end of ends) end.close();
  listener.close();
  await Promise.all(busy);
  assertEquals(most <= 3 * least, true, `from ${least} to ${most} replies`);
});
