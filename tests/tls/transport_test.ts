/** Data over TLS, and its end. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../socket/connect.ts";
import { type CloseReason, TlsError } from "../../socket/errors.ts";
import { listen } from "../../socket/listen.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "../../testing/memory_network.ts";
import type { Network, Transport } from "../../socket/network.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { TlsNetwork } from "../../tls/mod.ts";
import { TlsTransport } from "../../tls/transport.ts";
import { leftAfterCollection } from "../_util/collect_garbage.ts";
import { talk, TlsFixture } from "../_util/tls/tls_fixture.ts";
import { text, transportPair } from "../_util/network/transport_pair.ts";
import { on } from "../_util/on_event.ts";

let fixture: TlsFixture;

Deno.test.beforeAll(async () => {
  fixture = await TlsFixture.create();
});

Deno.test.afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

/** TLS in memory, and the underlying transport of the connecting end. */
function tlsInMemory(options: MemoryNetworkOptions = {}): { network: TlsNetwork; below: () => Transport } {
  const memory = new MemoryNetwork(options);
  let below: Transport;
  const kept: Network = {
    listen: (options) => memory.listen(options),
    connect: async (options) => below = await memory.connect(options),
  };
  const network = new TlsNetwork(kept, {
    server: { identity: fixture.identity },
    client: { ca: fixture.authority.certificate },
  });
  return { network, below: () => below };
}

Deno.test("TlsNetwork carries lines and half-closes both ways", async () => {
  await using server = fixture.startEcho();
  const client = await fixture.dial(server);
  assertEquals(await talk(client, ["one", "two"]), ["one", "two", "after your end"]);
  assertEquals((await client.close()).type, "natural");
  await server.listener.until((stats) => stats.connections === 0);
  assertEquals(server.reasons, [{ type: "natural" }]);
});

Deno.test("TlsNetwork carries a megabyte both ways, byte for byte", async () => {
  await using server = fixture.startEcho();
  const client = await fixture.dial(server);
  const lines = Array.from({ length: 32 }, (_, i) => String.fromCodePoint(0x61 + i % 26).repeat(32_768));
  assertEquals(await talk(client, lines), [...lines, "after your end"]);
  await client.close();
});

Deno.test("TlsTransport keeps nothing in memory of what decides about the first bytes once they are taken", async () => {
  using pair = await transportPair(new MemoryNetwork());
  const deciders: WeakRef<WeakKey>[] = [];
  const open = (): TlsTransport => {
    const first = (bytes: Uint8Array) => bytes.length < 2 ? "wait" : "take";
    deciders.push(new WeakRef(first));
    return new TlsTransport(pair.far, { clock: new VirtualClock(), handshakeTimeout: 0, first });
  };
  const transport = open();
  for (const word of ["a", "b"]) await pair.near.write(text(word));
  assertEquals((await transport.stream[Symbol.asyncIterator]().next()).value.toString(), "ab");
  assertEquals(await leftAfterCollection(deciders, { most: 0 }), 0);
  transport.close();
});

Deno.test("TlsTransport.closeWrite() sends a close_notify before the FIN", async () => {
  await using server = fixture.startEcho();
  // A client of the runtime itself, which is strict: a FIN alone is an error to it.
  const caCerts = [fixture.authority.certificate];
  using strict = await Deno.connectTls({ hostname: "localhost", port: server.listener.port, caCerts });
  await strict.write(new TextEncoder().encode("hi\n"));
  await strict.closeWrite();
  assertEquals(await new Response(strict.readable).text(), "hi\nafter your end\n");
});

Deno.test("TlsTransport.closeWrite() sends a FIN on the underlying transport", async () => {
  const { network, below } = tlsInMemory();
  using pair = await transportPair(network);
  await pair.near.closeWrite();
  await assertRejects(() => below().write(text("x")), Deno.errors.BrokenPipe);
});

Deno.test("TlsTransport fails and sends an alert when a record is not encrypted by its peer", async () => {
  const { network, below } = tlsInMemory();
  using pair = await transportPair(network);
  // A record of application data, of the right form, that nobody encrypted.
  await below().write(new Uint8Array([0x17, 3, 3, 0, 32, ...new Uint8Array(32)]));
  const told = await assertRejects(() => pair.near.read(new Uint8Array(1)), TlsError);
  assertStringIncludes(told.message, "BadRecordMac");
  await assertRejects(() => pair.far.read(new Uint8Array(1)), TlsError);
  await assertRejects(() => pair.far.write(text("x")), TlsError);
});

Deno.test("TlsTransport.close() rejects a pending write, and the closeWrite after it", async () => {
  const { network } = tlsInMemory({ capacity: 1000 });
  using pair = await transportPair(network);
  const bytes = new Uint8Array(1024 * 1024);
  const writing = assertRejects(async () => {
    for (;;) await pair.near.write(bytes);
  }, Deno.errors.Interrupted);
  assertEquals(await pair.far.read(new Uint8Array(1)), 1);
  const closing = assertRejects(() => pair.near.closeWrite(), Deno.errors.Interrupted);
  pair.near.close();
  await Promise.all([writing, closing]);
});

Deno.test("TlsTransport.read() and write() reject a second pending call", async () => {
  using pair = await transportPair(tlsInMemory().network);
  const reading = pair.near.read(new Uint8Array(1));
  await assertRejects(() => pair.near.read(new Uint8Array(1)), TypeError, "Cannot read twice at once");
  const writing = pair.near.write(text("a"));
  await assertRejects(() => pair.near.write(text("b")), TypeError, "Cannot write twice at once");
  assertEquals(await writing, 1);
  await pair.far.write(text("c"));
  assertEquals(await reading, 1);
});

Deno.test("TlsNetwork cuts off a peer that does not read, and buffers no more than the limit", async () => {
  const network = new TlsNetwork(systemNetwork, { server: { identity: fixture.identity } });
  const limit = 256 * 1024;
  const reasons: CloseReason[] = [];
  await using server = listen({
    network,
    limits: { writeBuffer: limit },
    onEvent: on("closed", ({ reason }) => reasons.push(reason)),
  });
  const line = "x".repeat(16 * 1024);
  const served = server.serve(async (peer) => {
    await peer[Symbol.asyncIterator]().next();
    while (peer.open) {
      peer.send(line);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const client = await connect({
    port: server.port,
    network: new TlsNetwork(systemNetwork, { client: { ca: fixture.authority.certificate } }),
  });
  client.send("now I read nothing");
  await server.until((stats) => stats.closed["slow-reader"] === 1);
  client.abort();
  await server.close();
  await served;
  assert(reasons[0]?.type === "slow-reader" && reasons[0].queuedBytes <= limit + 2 * line.length);
});
