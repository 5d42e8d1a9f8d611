import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createHash } from "node:crypto";
import { type Passed, startEcho, startProxy } from "../../../services/mod.ts";
import {
  bytesCodec,
  connect,
  type Connection,
  listen,
  type Listener,
  type Network,
} from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { systemNetwork } from "../../../socket/tcp.ts";
import { TlsNetwork } from "../../../tls/mod.ts";
import { Authority } from "../../_util/certificates.ts";
import { exchange, talk } from "../../_util/exchange.ts";
import { until } from "../../_util/until.ts";
import { on } from "../../_util/on_event.ts";

/** A backend whose connections a test handles. */
function startBackend(handler: (connection: Connection<Uint8Array>) => Promise<void>): Listener<Uint8Array> {
  const listener = listen({ codec: bytesCodec });
  listener.serve(handler).catch(() => {});
  return listener;
}

function at(port: number): { hostname: string; port: number } {
  return { hostname: "127.0.0.1", port };
}

async function readAll(connection: Connection<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of connection) text += decoder.decode(bytes, { stream: true });
  return text;
}

/** Returns a port without a listener. */
async function unusedPort(): Promise<number> {
  const listener = listen();
  const { port } = listener;
  await listener.close();
  return port;
}

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

Deno.test("startProxy() passes many bytes on unchanged in both directions at the same time", async () => {
  const size = 16 * 1024 * 1024;
  await using backend = startBackend(async (connection) => {
    for await (const bytes of connection) if (!connection.send(bytes)) await connection.flushed();
  });
  await using proxy = startProxy({ to: at(backend.port) });
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
  const port = await unusedPort();
  await using proxy = startProxy({ to: at(port), connectAttempts: 100, retryDelay: 1 });
  await using client = await connect({ port: proxy.port });
  client.send("hello");
  await proxy.until((stats) => stats.connections === 1);
  await using _echo = startEcho({ port });
  assertEquals((await client[Symbol.asyncIterator]().next()).value, "hello");
});

Deno.test("startProxy() closes a client when the backend cannot be reached", async () => {
  const port = await unusedPort();
  const passed: Passed[] = [];
  await using proxy = startProxy({
    to: at(port),
    retryDelay: 1,
    onEvent: on("passed", ({ passed: one }) => passed.push(one)),
  });
  assertEquals(await exchange(proxy.port), "");
  await until(() => passed.length === 1);
  assertEquals(passed[0]!.backend, undefined);
  assert(passed[0]!.reason.type === "local");
  assertStringIncludes(passed[0]!.reason.why, `Cannot connect to 127.0.0.1:${port}: refused`);
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

/** Starts a proxy in memory with one client. The test has the far ends of both connections. */
async function startBetween(timeouts: { idle?: number } = {}) {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock }) };
  const backend = seam.network.listen({ port: 7 });
  const passed: Passed[] = [];
  const proxy = startProxy({
    ...seam,
    timeouts,
    to: at(7),
    onEvent: on("passed", ({ passed: one }) => void passed.push(one)),
  });
  const client = await clock.runUntil(talk(proxy.port, seam));
  const accepted = await clock.runUntil(backend.accept());
  const received = accepted.read(new Uint8Array(100));
  await clock.runUntil(client.send("x"));
  assertEquals(await clock.runUntil(received), 1);
  return {
    clock,
    client,
    accepted,
    reason: () => clock.runUntil(() => passed.length === 1).then(() => passed[0]!.reason),
    async end() {
      await clock.runUntil(Promise.all([client.connection.close(), proxy.close()]));
      backend.close();
      assertEquals([clock.timers, seam.network.stats().sockets], [0, 0]);
    },
  };
}

Deno.test("startProxy() resets the client when the backend is reset", async () => {
  const { clock, client, accepted, reason, end } = await startBetween();
  accepted.reset?.();
  assertEquals(await clock.runUntil(client.rest()), "");
  assertEquals((await clock.runUntil(client.connection.closed)).type, "reset");
  assertEquals(await reason(), { type: "local", why: "other side was reset" });
  await end();
});

Deno.test("startProxy() resets the backend when the client is reset", async () => {
  const { clock, client, accepted, reason, end } = await startBetween();
  client.connection.reset();
  await assertRejects(() => clock.runUntil(accepted.read(new Uint8Array(1))), Deno.errors.ConnectionReset);
  assertEquals((await reason()).type, "reset");
  accepted.close();
  await end();
});

Deno.test("startProxy() closes a backend that has received everything when the client is reset", async () => {
  const { clock, client, accepted, end } = await startBetween();
  await clock.runUntil(client.connection.closeWrite());
  assertEquals(await clock.runUntil(accepted.read(new Uint8Array(1))), null);
  client.connection.reset();
  // Only a write notices a reset after a FIN, here and in the proxy.
  await assertRejects(async () => {
    for (;;) {
      await clock.runUntil(accepted.write(new Uint8Array(1)));
      await clock.advance(1);
    }
  }, Deno.errors.BrokenPipe);
  accepted.close();
  await end();
});

Deno.test("startProxy() resets both sides at the idle timeout", async () => {
  const { clock, client, accepted, end } = await startBetween({ idle: 1000 });
  await assertRejects(() => clock.runUntil(accepted.read(new Uint8Array(1))), Deno.errors.ConnectionReset);
  assertEquals(await clock.runUntil(client.rest()), "");
  assertEquals((await clock.runUntil(client.connection.closed)).type, "reset");
  accepted.close();
  await end();
});

Deno.test("startProxy() passes on everything that a client sends during the dial", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const seam = { clock, network };
  const dialed = Promise.withResolvers<void>();
  const backendNetwork: Network = {
    listen: (options) => network.listen(options),
    connect: (options) => dialed.promise.then(() => network.connect(options)),
  };
  const echo = startEcho({ ...seam, port: 7, limits: { maxLine: 1024 * 1024 } });
  const proxy = startProxy({ ...seam, to: at(7), backendNetwork });
  const client = await clock.runUntil(talk(proxy.port, seam));
  let sent = "";
  // Less and more than the proxy holds during the dial.
  for (const size of [1, 600, 5000, 20_000, 70_000]) {
    const piece = String.fromCharCode(97 + size % 26).repeat(size);
    sent += piece;
    client.connection.send(new TextEncoder().encode(piece));
    await clock.advance(1);
  }
  client.connection.send(new TextEncoder().encode("\n"));
  const finished = client.connection.closeWrite();
  dialed.resolve();
  await clock.runUntil(finished);
  assertEquals(await clock.runUntil(client.rest()), `${sent}\n`);
  await clock.runUntil(Promise.all([client.connection.close(), proxy.close(), echo.close()]));
  assertEquals([clock.timers, network.stats().sockets], [0, 0]);
});

Deno.test("startProxy() stops dialing when the client is reset", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const passed: Passed[] = [];
  const proxy = startProxy({
    ...{ clock, network, to: at(7) },
    connectAttempts: 1000,
    onEvent: on("passed", ({ passed: one }) => void passed.push(one)),
  });
  const client = await clock.runUntil(talk(proxy.port, { clock, network }));
  await clock.runUntil(client.send("x"));
  client.connection.reset();
  await clock.runUntil(() => passed.length === 1);
  assertLess(clock.now(), 1000);
  assertEquals(passed[0]!.reason.type, "reset");
  await clock.runUntil(proxy.close());
  assertEquals([clock.timers, network.stats().sockets], [0, 0]);
});

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
