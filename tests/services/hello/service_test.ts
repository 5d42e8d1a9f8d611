import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { startHello } from "../../../services/mod.ts";
import { type Clock, connect, systemClock } from "../../../socket/mod.ts";
import { exchange } from "../../_util/network/exchange.ts";
import { until } from "../../_util/until.ts";
import { on } from "../../_util/on_event.ts";

/** A clock whose long waits end on demand. */
function createPatience(): { clock: Clock; end(): void } {
  const waiting: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    after(ms, run) {
      if (ms !== 4000) return systemClock.after(ms, run);
      waiting.push(run);
      return { cancel() {} };
    },
  };
  return { clock, end: () => waiting.splice(0).forEach((run) => run()) };
}

Deno.test("startHello() answers 500 waiting clients at the same time, whatever they ask", async () => {
  const patience = createPatience();
  await using server = startHello({ clock: patience.clock });
  const answers = Array.from(
    { length: 500 },
    (_, index) => exchange(server.port, index % 2 ? "x" : "GET / HTTP/1.1\r\n\r\n"),
  );
  await until(() => server.stats().delayed === 500);
  patience.end();
  for (const answer of await Promise.all(answers)) {
    const [head = "", body] = answer.split("\r\n\r\n");
    assertEquals(head.split("\r\n")[0], "HTTP/1.1 200 OK");
    assertStringIncludes(head, "content-length: 13\r\n");
    assertStringIncludes(head, "connection: close\r\n");
    assertEquals(body, "Hello World!\n");
  }
  assertEquals((await server.until((stats) => stats.connections === 0)).closed.natural, 500);
});

Deno.test("startHello() answers TLS with a plain HTTP response", async () => {
  await using server = startHello({ delay: 0 });
  const hello = Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3);
  const [head = "", body] = (await exchange(server.port, hello)).split("\r\n\r\n");
  assertEquals(head.split("\r\n")[0], "HTTP/1.1 400 Bad Request");
  assertEquals(body, "This port speaks plain text, not TLS\n");
  const { framingErrors } = await server.until((stats) => stats.connections === 0);
  assertEquals(framingErrors, { tls: 1 });
});

Deno.test("startHello() answers waiting clients when it drains", async () => {
  const patience = createPatience();
  await using server = startHello({ clock: patience.clock });
  const answer = exchange(server.port, "x");
  await until(() => server.stats().delayed === 1);
  const drained = server.shutdown();
  patience.end();
  assertStringIncludes(await answer, "Hello World!");
  await drained;
});

Deno.test("startHello() rejects shutdown() when onEvent throws", async () => {
  const server = startHello({
    timeouts: { drain: 1 },
    onEvent: on("closed", () => {
      throw new RangeError("broken");
    }),
  });
  const answer = exchange(server.port, "x");
  await until(() => server.stats().delayed === 1);
  await assertRejects(() => server.shutdown(), RangeError, "broken");
  assertEquals(await answer, "");
});

Deno.test("startHello() closes immediately when clients are waiting", async () => {
  const patience = createPatience();
  const server = startHello({ clock: patience.clock });
  const answer = exchange(server.port, "x");
  await until(() => server.stats().delayed === 1);
  await server.close();
  assertEquals(await answer, "");
});

Deno.test("startHello() closes a client that sends no request", async () => {
  await using server = startHello();
  const client = await connect({ port: server.port });
  assertEquals((await client.close()).type, "natural");
  assertEquals((await server.until((stats) => stats.closed.natural === 1)).connections, 0);
});
