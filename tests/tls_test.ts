import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { connect } from "../socket/connect.ts";
import type { Connection } from "../socket/connection.ts";
import { type CloseReason, ConnectError, TlsError } from "../socket/errors.ts";
import { listen, type Listener } from "../socket/listener.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "../socket/memory_network.ts";
import type { Network, Transport } from "../socket/network.ts";
import { systemNetwork } from "../socket/system.ts";
import { startRelay } from "../relay/relay_server.ts";
import { certificateNames, checkIdentity, type Identity } from "../socket/identity.ts";
import { TlsNetwork, type TlsOptions, type TlsServerOptions } from "../socket/tls.ts";
import { TlsTransport } from "../socket/tls_transport.ts";
import { Authority } from "./helpers/certificates.ts";
import { text, transportPair } from "./helpers/transport_pair.ts";

let authority: Authority;
let identity: Identity;

Deno.test.beforeAll(async () => {
  authority = await Authority.create();
  identity = await authority.issue("server", ["DNS:localhost", "IP:127.0.0.1"]);
});

Deno.test.afterAll(async () => {
  await authority[Symbol.asyncDispose]();
});

interface Echo extends AsyncDisposable {
  readonly listener: Listener;
  readonly network: TlsNetwork;
  readonly reasons: CloseReason[];
}

/** A server that sends lines back, and says at the end of each peer that it was here. */
function startEcho(options: Partial<TlsServerOptions> = {}, timing: Partial<TlsOptions> = {}): Echo {
  const network = new TlsNetwork(systemNetwork, { ...timing, server: { identity, ...options } });
  const reasons: CloseReason[] = [];
  const listener = listen({ network, onClosed: (_, reason) => reasons.push(reason) });
  const served = listener.serve(async (peer) => {
    for await (const line of peer.lines()) peer.send(line);
    peer.send("after your end");
  });
  return {
    listener,
    network,
    reasons,
    [Symbol.asyncDispose]: async () => {
      await listener.close();
      await served;
    },
  };
}

function dial(server: Echo, client: TlsOptions["client"] = {}): Promise<Connection> {
  const network = new TlsNetwork(systemNetwork, { client: { ca: authority.certificate, ...client } });
  return connect({ port: server.listener.port, network });
}

async function talk(connection: Connection, lines: readonly string[]): Promise<string[]> {
  for (const line of lines) connection.send(line);
  await connection.closeWrite();
  return await Array.fromAsync(connection.lines());
}

async function rejection(server: Echo, client: TlsOptions["client"]): Promise<TlsError> {
  const error = await assertRejects(() => dial(server, client), ConnectError);
  assertEquals(error.code, "tls");
  assert(error.cause instanceof TlsError);
  return error.cause;
}

Deno.test("TlsNetwork carries lines and half-closes both ways", async () => {
  await using server = startEcho();
  const client = await dial(server);
  assertEquals(await talk(client, ["one", "two"]), ["one", "two", "after your end"]);
  assertEquals((await client.end()).type, "natural");
  await server.listener.until((stats) => stats.connections === 0);
  assertEquals(server.reasons, [{ type: "natural" }]);
});

Deno.test("TlsNetwork carries a megabyte both ways, byte for byte", async () => {
  await using server = startEcho();
  const client = await dial(server);
  const lines = Array.from({ length: 32 }, (_, i) => String.fromCodePoint(0x61 + i % 26).repeat(32_768));
  assertEquals(await talk(client, lines), [...lines, "after your end"]);
  await client.end();
});

Deno.test("TlsNetwork.connect() refuses a certificate of an authority it was not told of", async () => {
  await using server = startEcho();
  await using other = await Authority.create();
  assertEquals((await rejection(server, { ca: other.certificate })).code, "untrusted");
});

Deno.test("TlsNetwork.connect() refuses a certificate for another name", async () => {
  await using server = startEcho();
  const { code, message } = await rejection(server, { serverName: "elsewhere.test" });
  assertEquals(code, "untrusted");
  assertStringIncludes(message, "elsewhere.test");
});

Deno.test("TlsNetwork.connect() refuses a certificate for another address", async () => {
  await using server = startEcho({ identity: await authority.issue("server", ["IP:127.0.0.9"]) });
  assertEquals((await rejection(server, {})).code, "untrusted");
});

Deno.test("TlsNetwork serves whom its authority vouches for, and nobody else", async () => {
  await using server = startEcho({ clientCa: authority.certificate });
  const known = await dial(server, { identity: await authority.issue("alice") });
  assertEquals(await talk(known, ["hi"]), ["hi", "after your end"]);
  await known.end();

  await using rogue = await Authority.create();
  for (const client of [{ identity: await rogue.issue("mallory") }, {}]) {
    // With TLS 1.3 a client is done before the server has seen its certificate: it learns at the first read.
    const stranger = await dial(server, client);
    assertMatch((await talk(stranger, ["hi"])).join(), /^error TLS certificate refused: [^,]+$/);
    stranger.close();
  }
  const { closed } = await server.listener.until((stats) => stats.connections === 0);
  assertEquals(closed["tls-failed"], 2);
  assertEquals(closed.natural, 1);
});

Deno.test("TlsNetwork gives each name its own certificate", async () => {
  const second = await authority.issue("second", ["DNS:second.test"]);
  await using server = startEcho({ hosts: { "second.test": second } });
  for (const [serverName, expected] of [["second.test", "second"], ["localhost", "server"]] as const) {
    const network = new TlsNetwork(systemNetwork, { client: { ca: authority.certificate, serverName } });
    const transport = await network.connect({ port: server.listener.port });
    assert(transport instanceof TlsTransport);
    assertEquals((await transport.secured).peerName, expected);
    transport.close();
  }
});

Deno.test("TlsNetwork agrees on a protocol by ALPN, or refuses", async () => {
  await using server = startEcho({ alpn: ["okline"] });
  const network = new TlsNetwork(systemNetwork, {
    client: { ca: authority.certificate, alpn: ["h2", "okline"] },
  });
  const transport = await network.connect({ port: server.listener.port });
  assert(transport instanceof TlsTransport);
  const session = await transport.secured;
  assertEquals([session.alpn, session.protocol], ["okline", "TLSv1.3"]);
  transport.close();
  assertEquals((await rejection(server, { alpn: ["h2"] })).code, "handshake");
});

Deno.test("TlsNetwork.reload() changes the certificate of connections to come", async () => {
  await using server = startEcho();
  const before = await dial(server);
  server.network.reload({ identity: await authority.issue("newer", ["DNS:newer.test"]) });
  const after = await dial(server, { serverName: "newer.test" });
  assertEquals(await talk(before, ["still"]), ["still", "after your end"]);
  assertEquals(await talk(after, ["here"]), ["here", "after your end"]);
  await Promise.all([before.end(), after.end()]);
  assertThrows(() => server.network.reload({ identity: { certificate: "none", key: "none" } }), TlsError);
  const later = await dial(server, { serverName: "newer.test" });
  await later.end();
});

Deno.test("TlsNetwork.reload() changes the certificates of names", async () => {
  const name = "second.test";
  await using server = startEcho({ hosts: { [name]: await authority.issue("old", [`DNS:${name}`]) } });
  server.network.reload({ identity, hosts: { [name]: await authority.issue("new", [`DNS:${name}`]) } });
  const network = new TlsNetwork(systemNetwork, { client: { ca: authority.certificate, serverName: name } });
  const transport = await network.connect({ port: server.listener.port });
  assert(transport instanceof TlsTransport);
  assertEquals((await transport.secured).peerName, "new");
  transport.close();
});

Deno.test("TlsNetwork refuses a certificate or key it cannot use", () => {
  for (
    const bad of [{ certificate: "x", key: identity.key }, { certificate: identity.certificate, key: "x" }]
  ) {
    const error = assertThrows(
      () => new TlsNetwork(systemNetwork, { server: { identity: bad } }),
      TlsError,
    );
    assertEquals(error.code, "certificate");
  }
});

Deno.test("TlsNetwork refuses a key that belongs to another certificate", async () => {
  const other = await authority.issue("other");
  assertThrows(
    () => new TlsNetwork(systemNetwork, { server: { identity: { ...identity, key: other.key } } }),
    TlsError,
  );
});

Deno.test("TlsNetwork tells a peer that speaks plain text, in plain text", async () => {
  await using server = startEcho();
  const plain = await connect({ port: server.listener.port });
  plain.send("message hello");
  assertEquals(await Array.fromAsync(plain.lines()), ["error this port speaks TLS, not plain text"]);
  plain.close();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "plain-text");
});

Deno.test("TlsNetwork.connect() says so when the server speaks plain text", async () => {
  await using server = listen();
  const served = server.serve(async (peer) => {
    try {
      for await (const line of peer.lines()) peer.send(line);
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
  await using server = startEcho({}, { handshakeTimeout: 50 });
  const silent = await connect({ port: server.listener.port });
  assertEquals(await Array.fromAsync(silent.lines()), []);
  silent.close();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "timeout");
});

Deno.test("TlsNetwork fails the handshake of a peer that leaves, at once", async () => {
  await using server = startEcho({}, { handshakeTimeout: 0 });
  const hasty = await connect({ port: server.listener.port });
  await hasty.closeWrite();
  assertEquals(await Array.fromAsync(hasty.lines()), []);
  hasty.close();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "closed");
});

Deno.test("TlsTransport.closeWrite() ends TLS before the connection: nothing looks cut off", async () => {
  await using server = startEcho();
  // A client of the runtime itself, which is strict: a FIN alone is an error to it.
  const caCerts = [authority.certificate];
  using strict = await Deno.connectTls({ hostname: "localhost", port: server.listener.port, caCerts });
  await strict.write(new TextEncoder().encode("hi\n"));
  await strict.closeWrite();
  assertEquals(await new Response(strict.readable).text(), "hi\nafter your end\n");
});

/** TLS in memory, and what it stands on at the end that connects. */
function tlsInMemory(options: MemoryNetworkOptions = {}): { network: TlsNetwork; below: () => Transport } {
  const memory = new MemoryNetwork(options);
  let below: Transport;
  const kept: Network = {
    listen: (options) => memory.listen(options),
    connect: async (options) => below = await memory.connect(options),
  };
  const network = new TlsNetwork(kept, { server: { identity }, client: { ca: authority.certificate } });
  return { network, below: () => below };
}

Deno.test("TlsTransport.closeWrite() sends FIN below", async () => {
  const { network, below } = tlsInMemory();
  using pair = await transportPair(network);
  await pair.near.closeWrite();
  await assertRejects(() => below().write(text("x")), Deno.errors.BrokenPipe);
});

Deno.test("TlsTransport fails when what comes is not of its peer, and says so to it", async () => {
  const { network, below } = tlsInMemory();
  using pair = await transportPair(network);
  // A record of application data, of the right form, that nobody encrypted.
  await below().write(new Uint8Array([0x17, 3, 3, 0, 32, ...new Uint8Array(32)]));
  const told = await assertRejects(() => pair.near.read(new Uint8Array(1)), TlsError);
  assertStringIncludes(told.message, "BadRecordMac");
  await assertRejects(() => pair.far.read(new Uint8Array(1)), TlsError);
  await assertRejects(() => pair.far.write(text("x")), TlsError);
});

Deno.test("TlsTransport.close() rejects a write that waits, and a closeWrite behind it", async () => {
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

Deno.test("TlsTransport.read() and write() wait one at a time", async () => {
  using pair = await transportPair(tlsInMemory().network);
  const reading = pair.near.read(new Uint8Array(1));
  await assertRejects(() => pair.near.read(new Uint8Array(1)), TypeError, "Cannot read twice at once");
  const writing = pair.near.write(text("a"));
  await assertRejects(() => pair.near.write(text("b")), TypeError, "Cannot write twice at once");
  assertEquals(await writing, 1);
  await pair.far.write(text("c"));
  assertEquals(await reading, 1);
});

Deno.test("TlsNetwork cuts off a peer that does not read, and holds no more than the bound for it", async () => {
  const network = new TlsNetwork(systemNetwork, { server: { identity } });
  const limit = 256 * 1024;
  const reasons: CloseReason[] = [];
  await using server = listen({ network, writeBuffer: limit, onClosed: (_, reason) => reasons.push(reason) });
  const line = "x".repeat(16 * 1024);
  const served = server.serve(async (peer) => {
    await peer.lines().next();
    while (peer.open) {
      peer.send(line);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const client = await connect({
    port: server.port,
    network: new TlsNetwork(systemNetwork, { client: { ca: authority.certificate } }),
  });
  client.send("now I read nothing");
  await server.until((stats) => stats.closed["slow-reader"] === 1);
  client.close();
  await server.close();
  await served;
  assert(reasons[0]?.type === "slow-reader" && reasons[0].queuedBytes <= limit + 2 * line.length);
});

Deno.test("TlsNetwork.connect() stops when it is told to", async () => {
  await using server = listen(); // Accepts, and never answers a handshake.
  const network = new TlsNetwork(systemNetwork, {});
  const given = new AbortController();
  const dialled = connect({ port: server.port, network, signal: given.signal });
  await server.until((stats) => stats.accepted === 1);
  given.abort(new Error("enough"));
  await assertRejects(() => dialled, Error, "enough");
});

Deno.test("certificateNames() are the host names alone, in lower case", async () => {
  const { certificate } = await authority.issue("names", [
    "DNS:Chat.Example.org",
    "IP:127.0.0.1",
    "DNS:*.b.org",
  ]);
  assertEquals(certificateNames(certificate), ["chat.example.org", "*.b.org"]);
});

Deno.test("RelayServer takes for a peer only who has shaken hands", async () => {
  const network = new TlsNetwork(systemNetwork, { server: { identity } });
  await using server = startRelay({ network });
  const silent = await systemNetwork.connect({ port: server.port });
  await server.until((stats) => stats.connections === 1);
  const client = await connect({
    port: server.port,
    network: new TlsNetwork(systemNetwork, { client: { ca: authority.certificate } }),
  });
  // The only one there is to get its message is itself.
  client.send("message to whom");
  assertEquals((await client.lines().next()).value, "message to whom");
  assertEquals(server.stats().active, 1);
  assertEquals(server.stats().connections, 2);
  silent.close();
  await client.end();
});

Deno.test("Listener counts as failed by TLS who leaves in the handshake, though nobody reads", async () => {
  const reasons: CloseReason[] = [];
  const network = new TlsNetwork(systemNetwork, { server: { identity } });
  const listener = listen({ network, onClosed: (_, reason) => reasons.push(reason) });
  const served = listener.serve(() => assert(false, "Served before its handshake"));
  const peer = await systemNetwork.connect({ port: listener.port });
  await listener.until((stats) => stats.connections === 1);
  peer.close();
  await listener.until((stats) => stats.connections === 0);
  await listener.close();
  await served;
  assertEquals(reasons.map((reason) => reason.type), ["tls-failed"]);
});

Deno.test("checkIdentity() says what a text has not in it, and that a key is encrypted", async () => {
  const { certificate, key } = await authority.issue("whole");
  checkIdentity({ certificate, key });
  const block = (label: string, lines = "aGVsbG8=") =>
    `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
  const proc = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\naGVsbG8=";
  const cases: [part: Partial<Identity>, says: RegExp][] = [
    [{ certificate: "" }, /^There is no certificate in PEM$/],
    [{ certificate: "hello\n" }, /^There is no certificate in PEM$/],
    [{ certificate: key }, /^There is no certificate in PEM$/],
    [{ certificate: block("CERTIFICATE") }, /^Cannot read the certificate in PEM: ./],
    [{ key: "" }, /^There is no private key in PEM$/],
    [{ key: certificate }, /^There is no private key in PEM$/],
    [{ key: block("PRIVATE KEY") }, /^Cannot read the private key in PEM: ./],
    [
      { key: block("ENCRYPTED PRIVATE KEY") },
      /^Private key is encrypted: expected one without a passphrase$/,
    ],
    [{ key: block("EC PRIVATE KEY", proc) }, /^Private key is encrypted: expected one without a passphrase$/],
  ];
  for (const [part, says] of cases) {
    const { message, code } = assertThrows(() => checkIdentity({ certificate, key, ...part }), TlsError);
    assertMatch(message, says);
    assertEquals(code, "certificate");
  }
});
