import { assertEquals, assertMatch } from "@std/assert";
import { startEcho } from "../../../services/mod.ts";
import { connect } from "../../../socket/mod.ts";

Deno.test("startEcho() returns each client's own lines to many clients in parallel", async () => {
  await using server = startEcho();
  const clients = Array.from({ length: 50 }, async (_, client) => {
    await using connection = await connect({ port: server.port });
    const sent = Array.from({ length: 20 }, (_, index) => `${client}: é ${index}`);
    for (const line of sent) connection.send(line);
    const received: string[] = [];
    for await (const line of connection) if (received.push(line) === sent.length) break;
    assertEquals(received, sent);
    assertEquals((await connection.close()).type, "natural");
  });
  await Promise.all(clients);
  const { closed, messages } = await server.until((stats) => stats.connections === 0).then(() =>
    server.stats()
  );
  assertEquals([closed.natural, messages], [50, 1000]);
});

Deno.test("startEcho() closes only the client whose line is over the limit, after an error line", async () => {
  await using server = startEcho({ limits: { maxLine: 10 } });
  await using good = await connect({ port: server.port });
  const goodLines = good[Symbol.asyncIterator]();
  await using bad = await connect({ port: server.port });
  bad.send("short");
  bad.send("x".repeat(11));
  const answers = await Array.fromAsync(bad);
  assertEquals(answers[0], "short");
  assertMatch(answers[1] ?? "", /^error line is over the limit of 10 bytes/);
  good.send("still here");
  assertEquals((await goodLines.next()).value, "still here");
  await bad.close();
  await server.until((stats) => stats.closed.framing === 1);
});

Deno.test("startEcho() stops reading from a client that does not read, and loses nothing", async () => {
  await using server = startEcho({ limits: { writeBuffer: 256 * 1024 } });
  await using client = await connect({ port: server.port, limits: { writeBuffer: 64 * 1024 * 1024 } });
  const line = "x".repeat(1000);
  const count = 30_000;
  for (let index = 0; index < count; index++) client.send(line);
  let received = 0;
  // The server holds less than its bound all the while, or it would have cut the client off.
  for await (const lines of client.batches()) {
    received += lines.length;
    if (received === count) break;
  }
  assertEquals(received, count);
  assertEquals((await client.close()).type, "natural");
});

Deno.test("startEcho() answers every line and sends an error line before it closes when it drains", async () => {
  await using server = startEcho();
  await using client = await connect({ port: server.port });
  const lines = client[Symbol.asyncIterator]();
  client.send("one");
  assertEquals((await lines.next()).value, "one");
  const drained = server.shutdown();
  assertEquals((await lines.next()).value, "error server is draining");
  assertEquals((await lines.next()).done, true);
  await client.close();
  await drained;
  assertEquals(server.stats().closed.local, 1);
});
