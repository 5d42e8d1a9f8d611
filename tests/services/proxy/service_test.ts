import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { type Passed, startEcho, startProxy } from "../../../services/mod.ts";
import { bytesCodec, connect, listen, type Network } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { TlsNetwork } from "../../../tls/mod.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { foreign, network } from "../../_util/native/native.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";
import { until } from "../../_util/until.ts";
import { on } from "../../_util/on_event.ts";
import { at, readAll, startBackend, unusedAddress } from "../../_util/network/proxy_backend.ts";

Deno.test("startProxy() passes bytes and half-closes on in both directions", async () => {
  await using backend = startBackend(async (connection) => {
    const question = await readAll(connection);
    connection.send(new TextEncoder().encode(`You said ${question}`));
  });
  const passed: Passed[] = [];
  await using proxy = startProxy({
    to: at(backend.port),
    onEvent: on("passed", ({ passed: one }) => passed.push(one)),
  });
  await using client = await talk(proxy.port);
  await client.send("hello, ");
  await client.send("backend");
  await client.connection.closeWrite();
  // The backend answers only after the FIN, and the client receives it only if its own half stays open.
  assertEquals(await client.rest(), "You said hello, backend");
  await until(() => passed.length === 1);
  assertEquals([passed[0]!.bytesFromClient, passed[0]!.bytesFromBackend], [14, 23]);
  assertEquals(passed[0]!.reason, { type: "natural" });
  assertEquals([passed[0]!.backend?.port, passed[0]!.source.port], [
    backend.port,
    client.connection.local.port,
  ]);
});

Deno.test("startProxy() passes on what a client sends after the backend has half-closed", async () => {
  const heard = Promise.withResolvers<string>();
  await using backend = startBackend(async (connection) => {
    connection.send(new TextEncoder().encode("bye"));
    await connection.closeWrite();
    heard.resolve(await readAll(connection));
  });
  await using proxy = startProxy({ to: at(backend.port) });
  await using client = await talk(proxy.port);
  assertEquals(await client.rest(), "bye");
  await client.send("wait, one more thing");
  await client.connection.close();
  assertEquals(await heard.promise, "wait, one more thing");
});

Deno.test("startProxy() sends a close_notify to a TLS backend, whichever side finishes first", async () => {
  await using authority = await Authority.create();
  const { certificate: cert, key } = await authority.issue("backend");
  using backend = Deno.listenTls({ ...at(0), cert, key });
  const backendNetwork = new TlsNetwork(systemNetwork, { client: { ca: authority.certificate } });
  await using proxy = startProxy({ to: at(backend.addr.port), backendNetwork });
  for (const first of ["backend", "client"] as const) {
    await using client = await talk(proxy.port);
    using accepted = await backend.accept();
    await accepted.handshake();
    if (first === "backend") {
      await accepted.closeWrite();
      assertEquals(await client.rest(), "");
    }
    await client.connection.closeWrite();
    // Rejects if the connection ends without a close_notify.
    assertEquals(await accepted.read(new Uint8Array(1)), null);
  }
});

async function assertUnchanged(network: Network): Promise<void> {
  const size = 16 * 1024 * 1024;
  await using backend = startBackend(async (connection) => {
    for await (const bytes of connection) if (!connection.send(bytes)) await connection.flushed();
  });
  await using proxy = startProxy({ network, to: at(backend.port) });
  await using client = await connect({ port: proxy.port, codec: bytesCodec });
  const sent = createHash("sha256");
  const received = createHash("sha256");
  const write = async () => {
    for (let at = 0; at < size; at += 65_536) {
      const piece = new Uint8Array(65_536).map((_, index) => (at >> 16) + index * 31);
      sent.update(piece);
      client.send(piece);
      await client.flushed();
    }
    await client.closeWrite();
  };
  let count = 0;
  const read = async () => {
    for await (const bytes of client) {
      received.update(bytes);
      count += bytes.length;
    }
  };
  await Promise.all([write(), read()]);
  assertEquals(count, size);
  assertEquals(received.digest("hex"), sent.digest("hex"));
}

Deno.test("startProxy() passes many bytes on unchanged in both directions at the same time", async () => {
  await assertUnchanged(systemNetwork);
});

const onLinux = { ignore: foreign.ignore };

Deno.test("startProxy() passes many bytes on unchanged on native sockets", onLinux, async () => {
  await assertUnchanged(network!);
});

Deno.test("startProxy() stops reading from a client when the backend does not read", async () => {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock, capacity: 64 * 1024 }) };
  const release = Promise.withResolvers<void>();
  let received = 0;
  const backend = listen({ ...seam, codec: bytesCodec });
  const served = backend.serve(async (connection) => {
    await release.promise;
    for await (const bytes of connection) received += bytes.length;
  });
  const proxy = startProxy({ ...seam, to: at(backend.port) });
  const client = await clock.runUntil(
    connect({ ...seam, port: proxy.port, codec: bytesCodec, limits: { writeBuffer: 2 ** 30 } }),
  );
  const size = 8 * 1024 * 1024;
  client.send(new Uint8Array(size));
  await clock.advance(1000);
  // At most two sockets of 64 KiB each, a read, and in the proxy its high-water mark and a read.
  assertGreater(client.stats().bytesOut, 0);
  assertLess(client.stats().bytesOut, 6 * 64 * 1024);
  release.resolve();
  await clock.runUntil(client.close());
  await clock.runUntil(() => received === size);
  await clock.runUntil(Promise.all([proxy.close(), backend.close(), served]));
  assertEquals(clock.timers, 0);
});

Deno.test("startProxy() connects again until the backend listens", async () => {
  const to = await unusedAddress();
  await using proxy = startProxy({ to, connectAttempts: 100, retryDelay: 1 });
  await using client = await connect({ port: proxy.port });
  client.send("hello");
  await proxy.until((stats) => stats.connections === 1);
  await using _echo = startEcho({ hostnames: [to.hostname], port: to.port });
  assertEquals((await client[Symbol.asyncIterator]().next()).value, "hello");
});

Deno.test("startProxy() closes a client when the backend cannot be reached", async () => {
  const to = await unusedAddress();
  const passed: Passed[] = [];
  await using proxy = startProxy({
    to,
    retryDelay: 1,
    onEvent: on("passed", ({ passed: one }) => passed.push(one)),
  });
  assertEquals(await exchange(proxy.port), "");
  await until(() => passed.length === 1);
  assertEquals(passed[0]!.backend, undefined);
  assert(passed[0]!.reason.type === "local");
  assertStringIncludes(passed[0]!.reason.why, `Cannot connect to ${to.hostname}:${to.port}: refused`);
  assertEquals(proxy.stats().unserved, 1);
});

Deno.test("startProxy() closes a connection only when it is idle in both directions", async () => {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock }) };
  const backend = listen({ ...seam, codec: bytesCodec });
  const served = backend.serve(async (connection) => {
    for (let count = 0; count < 20; count++) {
      connection.send(new Uint8Array([46]));
      await new Promise<void>((resolve) => void clock.after(999, resolve));
    }
    await connection.closed;
  });
  const passed: Passed[] = [];
  const proxy = startProxy({
    ...seam,
    to: at(backend.port),
    timeouts: { idle: 1000 },
    onEvent: on("passed", (event) => passed.push(event.passed)),
  });
  const client = await clock.runUntil(talk(proxy.port, seam));
  assertEquals(await clock.runUntil(client.rest()), ".".repeat(20));
  assertEquals(clock.now(), 19 * 999 + 1000);
  await clock.runUntil(() => passed.length === 1);
  assertEquals(passed[0]!.reason, { type: "timeout", which: "idle", ms: 1000 });
  await clock.runUntil(Promise.all([client.connection.close(), proxy.close(), backend.close(), served]));
});

Deno.test("startProxy() keeps open connections, and accepts no new ones, while it drains", async () => {
  await using echo = startEcho();
  await using proxy = startProxy({ to: at(echo.port) });
  await using client = await talk(proxy.port);
  await client.send("one\n");
  await client.upTo("one\n");
  const drained = proxy.shutdown();
  await client.send("two\n");
  await client.upTo("two\n");
  await client.connection.close();
  await drained;
  assertGreater(proxy.stats().closed.natural, 0);
});
