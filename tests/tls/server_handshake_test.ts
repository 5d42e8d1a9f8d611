/** Accepted and rejected TLS handshakes. */
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connect } from "../../socket/connect.ts";
import { type CloseReason, ConnectError, TlsError } from "../../socket/errors.ts";
import { listen } from "../../socket/listen.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { startRelay } from "../../relay/server.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { TlsNetwork } from "../../tls/mod.ts";
import { TlsTransport } from "../../tls/transport.ts";
import { Authority } from "../_util/tls/certificates.ts";
import { leftAfterCollection } from "../_util/collect_garbage.ts";
import { talk, TlsFixture } from "../_util/tls/tls_fixture.ts";
import { on } from "../_util/on_event.ts";

let fixture: TlsFixture;

Deno.test.beforeAll(async () => {
  fixture = await TlsFixture.create();
});

Deno.test.afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

Deno.test("TlsNetwork.connect() rejects a certificate of an unknown authority", async () => {
  await using server = fixture.startEcho();
  await using other = await Authority.create();
  assertEquals((await fixture.rejection(server, { ca: other.certificate })).code, "untrusted");
});

Deno.test("TlsNetwork.connect() rejects a certificate for another name", async () => {
  await using server = fixture.startEcho();
  const { code, message } = await fixture.rejection(server, { serverName: "elsewhere.test" });
  assertEquals(code, "untrusted");
  assertStringIncludes(message, "elsewhere.test");
});

Deno.test("TlsNetwork.connect() rejects a certificate for another address", async () => {
  await using server = fixture.startEcho({
    identity: await fixture.authority.issue("server", ["IP:127.0.0.9"]),
  });
  assertEquals((await fixture.rejection(server, {})).code, "untrusted");
});

Deno.test("TlsNetwork serves only clients with a certificate of its authority", async () => {
  await using server = fixture.startEcho({ clientCa: fixture.authority.certificate });
  const known = await fixture.dial(server, { identity: await fixture.authority.issue("alice") });
  assertEquals(await talk(known, ["hi"]), ["hi", "after your end"]);
  await known.close();

  await using rogue = await Authority.create();
  for (const client of [{ identity: await rogue.issue("mallory") }, {}]) {
    // With TLS 1.3 a client is done before the server has seen its certificate: it learns at the first read.
    const stranger = await fixture.dial(server, client);
    assertMatch((await talk(stranger, ["hi"])).join(), /^error TLS certificate refused: [^,]+$/);
    stranger.abort();
  }
  const { closed } = await server.listener.until((stats) => stats.connections === 0);
  assertEquals(closed["tls-failed"], 2);
  assertEquals(closed.natural, 1);
});

Deno.test("TlsNetwork negotiates a protocol by ALPN, or refuses the client", async () => {
  await using server = fixture.startEcho({ alpn: ["okline"] });
  const network = new TlsNetwork(systemNetwork, {
    client: { ca: fixture.authority.certificate, alpn: ["h2", "okline"] },
  });
  const transport = await network.connect({ port: server.listener.port });
  assert(transport instanceof TlsTransport);
  const session = await transport.secured;
  assertEquals([session.alpn, session.protocol], ["okline", "TLSv1.3"]);
  transport.close();
  assertEquals((await fixture.rejection(server, { alpn: ["h2"] })).code, "handshake");
});

Deno.test("TlsNetwork answers in plain text when a client speaks plain text", async () => {
  await using server = fixture.startEcho();
  const plain = await connect({ port: server.listener.port });
  plain.send("message hello");
  assertEquals(await Array.fromAsync(plain), ["error this port speaks TLS, not plain text"]);
  plain.abort();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "plain-text");
});

Deno.test("TlsNetwork.connect() rejects when the server speaks plain text", async () => {
  await using server = listen();
  const served = server.serve(async (peer) => {
    try {
      for await (const line of peer) peer.send(line);
    } catch (error) {
      peer.send(`error ${(error as Error).message}`);
      throw error;
    }
  });
  const network = new TlsNetwork(systemNetwork, {});
  const error = await assertRejects(() => connect({ port: server.port, network }), ConnectError);
  assertEquals([error.code, (error.cause as TlsError).code], ["tls", "plain-text"]);
  assertStringIncludes(error.message, "Peer speaks plain text, not TLS");
  await server.until((stats) => stats.closed.framing === 1);
  await server.close();
  await served;
});

Deno.test("TlsNetwork closes a peer that does not finish its handshake", async () => {
  await using server = fixture.startEcho({}, { handshakeTimeout: 50 });
  const silent = await connect({ port: server.listener.port });
  assertEquals(await Array.fromAsync(silent), []);
  silent.abort();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "timeout");
});

Deno.test("TlsNetwork fails the handshake immediately when the peer leaves", async () => {
  await using server = fixture.startEcho({}, { handshakeTimeout: 0 });
  const hasty = await connect({ port: server.listener.port });
  await hasty.closeWrite();
  assertEquals(await Array.fromAsync(hasty), []);
  hasty.abort();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "closed");
});

Deno.test("TlsNetwork.connect() rejects when its signal aborts", async () => {
  await using server = listen(); // Accepts, and never answers a handshake.
  const network = new TlsNetwork(systemNetwork, {});
  const given = new AbortController();
  const dialed = connect({ port: server.port, network, signal: given.signal });
  await server.until((stats) => stats.accepted === 1);
  given.abort(new Error("enough"));
  await assertRejects(() => dialed, Error, "enough");
});

Deno.test("TlsNetwork.connect() rejects when its signal aborts as the connection below opens", async () => {
  const memory = new MemoryNetwork();
  const listener = memory.listen({ port: 0 }); // Never answers a handshake.
  const given = new AbortController();
  const network = new TlsNetwork({
    listen: (options) => memory.listen(options),
    connect: async (options) => {
      const transport = await memory.connect(options);
      given.abort(new Error("enough"));
      return transport;
    },
  }, {});
  const dialed = network.connect({ port: listener.address.port, signal: given.signal });
  const peer = await listener.accept();
  const rejected = assertRejects(() => dialed, Error, "enough");
  // Without the rejection, this would be a hello.
  assertEquals(await peer.read(new Uint8Array(1)), null);
  await rejected;
  for (const each of [peer, listener]) each.close();
  assertEquals(memory.stats(), { listeners: 0, sockets: 0, queued: 0 });
});

Deno.test("TlsNetwork keeps nothing in memory of clients that leave during their handshake", async () => {
  const memory = new MemoryNetwork();
  const listener = new TlsNetwork(memory, { server: { identity: fixture.identity } }).listen({ port: 0 });
  const leave = async (): Promise<WeakRef<WeakKey>> => {
    const [client, transport] = await Promise.all([
      memory.connect({ port: listener.address.port }),
      listener.accept(),
    ]);
    await client.write(Uint8Array.of(0x16, 3, 1, 0, 100, 1, 0, 0, 96)); // The beginning of a hello.
    client.close();
    await assertRejects(() => transport.ready!, TlsError, "Peer closed the connection");
    transport.close();
    return new WeakRef(transport);
  };
  const transports: WeakRef<WeakKey>[] = [];
  for (let count = 0; count < 20; count++) transports.push(await leave());
  listener.close();
  // The last one may still be referred to.
  assertLessOrEqual(await leftAfterCollection(transports, { most: 1 }), 1);
});

Deno.test("RelayServer sends messages only to peers that have completed the handshake", async () => {
  const network = new TlsNetwork(systemNetwork, { server: { identity: fixture.identity } });
  await using server = startRelay({ network });
  const silent = await systemNetwork.connect({ port: server.port });
  await server.until((stats) => stats.connections === 1);
  const client = await connect({
    port: server.port,
    network: new TlsNetwork(systemNetwork, { client: { ca: fixture.authority.certificate } }),
  });
  // The only one there is to get its message is itself.
  client.send("message to whom");
  assertEquals((await client[Symbol.asyncIterator]().next()).value, "message to whom");
  assertEquals(server.stats().active, 1);
  assertEquals(server.stats().connections, 2);
  silent.close();
  await client.close();
});

Deno.test("Listener counts tls-failed when a peer leaves during the handshake and no read is pending", async () => {
  const reasons: CloseReason[] = [];
  const network = new TlsNetwork(systemNetwork, { server: { identity: fixture.identity } });
  const listener = listen({ network, onEvent: on("closed", ({ reason }) => reasons.push(reason)) });
  const served = listener.serve(() => assert(false, "Served before its handshake"));
  const peer = await systemNetwork.connect({ port: listener.port });
  await listener.until((stats) => stats.connections === 1);
  peer.close();
  await listener.until((stats) => stats.connections === 0);
  await listener.close();
  await served;
  assertEquals(reasons.map((reason) => reason.type), ["tls-failed"]);
});
