/** PROXY headers that a proxy sends and reads. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Passed, startEcho, startProxy } from "../../../services/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";
import { until } from "../../_util/until.ts";
import { on } from "../../_util/on_event.ts";
import { at, startBackend } from "../../_util/network/proxy_backend.ts";

Deno.test("startProxy() sends the backend a PROXY header of either version", async () => {
  for (const version of [1, 2] as const) {
    await using backend = startBackend(async (connection) => {
      connection.send((await connection[Symbol.asyncIterator]().next()).value ?? new Uint8Array(0));
    });
    await using proxy = startProxy({ to: at(backend.port), proxyOut: version });
    await using client = await talk(proxy.port);
    const start = version === 1
      ? `PROXY TCP4 127.0.0.1 127.0.0.1 ${client.connection.local.port} ${proxy.port}\r\n`
      : "\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01";
    assertEquals(await client.upTo(start), start);
  }
});

Deno.test("startProxy() reads the client's address from the header of a trusted proxy, and passes it on", async () => {
  await using echo = startEcho();
  const passed: Passed[] = [];
  await using inner = startProxy({
    to: at(echo.port),
    proxyIn: ["10.0.0.0/8", "127.0.0.1"],
    onEvent: on("passed", ({ passed: one }) => passed.push(one)),
  });
  await using outer = startProxy({ to: at(inner.port), proxyOut: 2 });
  await using client = await talk(outer.port);
  await client.send("hello\n");
  await client.upTo("hello\n");
  const { port } = client.connection.local;
  await client.connection.close();
  await until(() => passed.length === 1);
  assertEquals(passed[0]!.source, { hostname: "127.0.0.1", port });

  await using direct = await talk(inner.port);
  await direct.send("PROXY TCP6 2001:db8::7 ::1 1234 80\r\nhi\n");
  await direct.upTo("hi\n");
  await direct.connection.close();
  await until(() => passed.length === 2);
  assertEquals(passed[1]!.source, { hostname: "2001:db8::7", port: 1234 });
});

Deno.test("startProxy() refuses an untrusted proxy, and a trusted one without a header", async () => {
  await using echo = startEcho();
  const to = at(echo.port);
  await using strict = startProxy({ to, proxyIn: ["10.0.0.0/8", "::1"] });
  assertEquals(await exchange(strict.port, "PROXY UNKNOWN\r\nhello\n").catch(() => ""), "");
  await using trusting = startProxy({ to, proxyIn: ["127.0.0.0/8"] });
  assertEquals(await exchange(trusting.port, "hello\n").catch(() => ""), "");
  assertEquals(echo.stats().accepted, 0);
  assertEquals(strict.stats().unserved + trusting.stats().unserved, 2);
  assertThrows(() => startProxy({ to, proxyIn: ["10.0.0.0/33"] }), RangeError, "10.0.0.0/33");
});
