/** Clients that a TLS server refuses, and the reasons that they receive. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { connect } from "../../socket/connect.ts";
import type { Connection } from "../../socket/connection.ts";
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import { faultyNetwork } from "../../testing/faulty_network.ts";
import { listen, type Listener } from "../../socket/listen.ts";
import { MemoryNetwork } from "../../testing/memory_network.ts";
import { type CloseReason, TlsError } from "../../socket/errors.ts";
import type { Network } from "../../socket/network.ts";
import type { Clock } from "../../internal/clock.ts";
import { systemClock, systemNetwork } from "../../socket/tcp.ts";
import { type TlsClientOptions, TlsNetwork, type TlsServerOptions } from "../../tls/mod.ts";
import { assertTakesStreams } from "../../tls/server_handshake.ts";
import { TlsTransport } from "../../tls/transport.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import type { Identity } from "../../tls/certificate.ts";
import { Authority } from "../_util/tls/certificates.ts";
import { TempDir } from "../_util/temp_dir.ts";
import { readText, text, transportPair } from "../_util/network/transport_pair.ts";
import { on } from "../_util/on_event.ts";

let authority: Authority;
let identity: Identity;

Deno.test.beforeAll(async () => {
  authority = await Authority.create();
  identity = await authority.issue("server", ["IP:127.0.0.1", "DNS:a.test"]);
});

Deno.test.afterAll(async () => {
  await authority[Symbol.asyncDispose]();
});

interface Echo extends AsyncDisposable {
  readonly listener: Listener;
  readonly reasons: CloseReason[];
}

function startEcho(
  options: Partial<TlsServerOptions> = {},
  { inner = systemNetwork, clock = systemClock }: { inner?: Network; clock?: Clock } = {},
): Echo {
  const network = new TlsNetwork(inner, { server: { identity, ...options }, clock });
  const reasons: CloseReason[] = [];
  const listener = listen({ network, onEvent: on("closed", ({ reason }) => reasons.push(reason)) });
  void listener.serve(async (peer) => {
    for await (const line of peer) peer.send(line);
  });
  return { listener, reasons, [Symbol.asyncDispose]: () => listener.close() };
}

function dial(server: Echo, client: TlsClientOptions = {}): Promise<Connection> {
  const network = new TlsNetwork(systemNetwork, { client: { ca: authority.certificate, ...client } });
  return connect({ port: server.listener.port, network });
}

Deno.test("TlsNetwork sends the reason to a client when it refuses the certificate", async () => {
  // Time does not advance: they leave on demand.
  await using server = startEcho({ clientCa: authority.certificate }, { clock: new VirtualClock() });
  await using rogue = await Authority.create();
  const strangers: [identity: Identity | undefined, why: string][] = [
    [undefined, "the client sent none"],
    [await rogue.issue("mallory"), "unable to verify leaf signature"],
    [await authority.issue("late", ["DNS:late"], { days: -1 }), "cert has expired"],
  ];
  for (const minVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const [identity, why] of strangers) {
      const client = await dial(server, { minVersion, ...(identity && { identity }) });
      client.send("hello");
      assertEquals(await Array.fromAsync(client), [`error TLS certificate refused: ${why}`]);
      await client.close();
    }
  }
  await server.listener.until((stats) => stats.closed["tls-failed"] === 6);
  assertEquals(server.listener.stats().connections, 0);
  for (const reason of server.reasons) {
    assert(reason.type === "tls-failed");
    assertEquals(reason.error.code, "untrusted");
    assertMatch(reason.error.message, /^TLS certificate refused: /);
  }
});

/** Says a word to an echo server by a client that can resume sessions, and gives what it hears until the server ends. */
async function sayBySession(port: number, word: string, options: readonly string[]): Promise<string> {
  const command = `echo ${word} | openssl s_client -quiet -connect 127.0.0.1:${port} "$@"`;
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", command, "sh", ...options],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("TlsNetwork refuses a resumed session that began with a refusal", async () => {
  const options = { identity, clientCa: authority.certificate };
  await using rogue = await Authority.create();
  await using folder = new TempDir();
  const refused = "error TLS certificate refused: ";
  const unknown = `${refused}the session began without a valid one\n`;
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const network = new TlsNetwork(systemNetwork, { server: options });
    await using server = listen({ network });
    void server.serve(async (peer) => {
      for await (const line of peer) {
        peer.send(line);
        return;
      }
    });
    const session = `${folder.path}/session`;
    const begin = ({ certificate, key }: Authority["files"]): Promise<string> =>
      sayBySession(server.port, "begun", [
        ...[version, "-cert", certificate, "-key", key, "-sess_out", session],
      ]);
    const resume = () => sayBySession(server.port, "resumed", [version, "-sess_in", session]);

    await rogue.issue("mallory");
    assertEquals(await begin(rogue.files), `${refused}unable to verify leaf signature\n`);
    assertEquals(await resume(), unknown);

    await authority.issue("guest", ["DNS:guest"]);
    assertEquals([await begin(authority.files), await resume()], ["begun\n", "resumed\n"]);
    network.reload(options);
    assertEquals(await resume(), "resumed\n");
    network.reload({ ...options, clientCa: rogue.certificate });
    assertEquals(await resume(), unknown);
  }
});

Deno.test("TlsNetwork sends the reason without a reset when the refused client keeps sending", async () => {
  await using server = startEcho({ clientCa: authority.certificate });
  const secure = new TlsNetwork(systemNetwork, { client: { ca: authority.certificate } });
  const cases: [network: Network, why: string][] = [
    [systemNetwork, "this port speaks TLS, not plain text"],
    [secure, "TLS certificate refused: the client sent none"],
  ];
  for (const [network, why] of cases) {
    const megabytes = 16;
    const client = await connect({
      port: server.listener.port,
      network,
      codec: bytesCodec,
      limits: { writeBuffer: megabytes * 2 ** 20 },
    });
    client.send(new Uint8Array(megabytes * 2 ** 20 - 1));
    let heard = "";
    for await (const bytes of client) heard += new TextDecoder().decode(bytes);
    assertEquals(heard, `error ${why}\n`);
    assertEquals(await client.close(), { type: "natural" });
  }
});

Deno.test("TlsTransport.refuse() determines the error, whatever happens after it", async () => {
  using pair = await transportPair(new MemoryNetwork());
  const transport = new TlsTransport(pair.far, { clock: new VirtualClock(), handshakeTimeout: 1000 });
  const refusal = new TlsError("untrusted", "Refused");
  transport.refuse(refusal);
  transport.ended();
  for (const word of ["you", "may", "not"]) {
    await pair.far.write(text(word));
    assertEquals(await readText(pair.near), word);
  }
  transport.fail(new TlsError("handshake", "Alert"));
  assertEquals(await transport.secured.catch((error) => error), refusal);
});

Deno.test("TlsNetwork waits at most one second for a refused client to leave", async () => {
  const clock = new VirtualClock();
  const network = new TlsNetwork(systemNetwork, { server: { identity }, clock, handshakeTimeout: 0 });
  await using listener = listen({ network, clock });
  void listener.serve(() => {});
  const plain = await connect({ port: listener.port });
  plain.send("hello");
  assertEquals(
    (await plain[Symbol.asyncIterator]().next()).value,
    "error this port speaks TLS, not plain text",
  );
  assertEquals(listener.stats().connections, 1);
  await clock.advance(1000);
  await listener.until((stats) => stats.closed["tls-failed"] === 1);
  plain.abort();
});

Deno.test("TlsNetwork closes without waiting for a refused client", async () => {
  const server = startEcho({ clientCa: authority.certificate });
  const client = await dial(server);
  assertMatch((await client[Symbol.asyncIterator]().next()).value!, /^error TLS certificate refused/);
  await server[Symbol.asyncDispose]();
  client.abort();
});

Deno.test("TlsServerOptions.notice formats the reason for a refused client", async () => {
  const notice = (why: string) => `no: ${why}\n`;
  await using server = startEcho({ clientCa: authority.certificate, notice });
  const stranger = await dial(server);
  assertEquals(await Array.fromAsync(stranger), [
    "no: TLS certificate refused: the client sent none",
  ]);
  await stranger.close();
  const plain = await connect({ port: server.listener.port });
  plain.send("hello");
  assertEquals(await Array.fromAsync(plain), ["no: this port speaks TLS, not plain text"]);
  await plain.close();
});

Deno.test("TlsNetwork fails only the connection of a refused client when TlsServerOptions.notice throws", async () => {
  const broken = new Error("Cannot format");
  const notice = (): string => {
    throw broken;
  };
  await using server = startEcho({ clientCa: authority.certificate, notice });
  const plain = await connect({ port: server.listener.port });
  plain.send("hello");
  assertEquals(await Array.fromAsync(plain), []);
  plain.abort();
  const stranger = await dial(server);
  assertEquals(await Array.fromAsync(stranger), []);
  stranger.abort();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 2);
  for (const reason of server.reasons) {
    assert(reason.type === "tls-failed");
    assertEquals([reason.error.code, reason.error.cause], ["handshake", broken]);
  }
  const known = await dial(server, { identity: await authority.issue("guest") });
  known.send("hello");
  assertEquals((await known[Symbol.asyncIterator]().next()).value, "hello");
  await known.close();
});

Deno.test("TlsNetwork answers malformed TLS with an alert, and reports it", async () => {
  await using server = startEcho({ hosts: { "a.test": identity } });
  const client = await connect({ port: server.listener.port, codec: bytesCodec });
  client.send(Uint8Array.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0])); // A hello with nothing in it.
  const { value } = await client[Symbol.asyncIterator]().next();
  assertEquals(value, Uint8Array.from([0x15, 3, 3, 0, 2, 2, 50]));
  await client.close();
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "handshake");
  assertMatch(reason.error.message, /^Cannot speak TLS with the peer: received corrupt message/);
  assert(!reason.error.message.includes("version"));
});

Deno.test("TlsNetwork names its versions when a client speaks only older ones", async () => {
  await using server = startEcho();
  const client = await connect({ port: server.listener.port, codec: bytesCodec });
  const hello = [1, 0, 0, 42, 3, 2, ...Array(32).fill(7), 0, 0, 2, 0, 47, 1, 0, 0, 0];
  client.send(Uint8Array.from([0x16, 3, 1, 0, hello.length, ...hello]));
  const { value } = await client[Symbol.asyncIterator]().next();
  assertEquals(value, Uint8Array.from([0x15, 3, 1, 0, 2, 2, 70]));
  assertEquals(await client.close(), { type: "natural" });
  await server.listener.until((stats) => stats.closed["tls-failed"] === 1);
  const [reason] = server.reasons;
  assert(reason?.type === "tls-failed");
  assertEquals(reason.error.code, "handshake");
  assertEquals(reason.error.message, "Peer does not speak TLS 1.2 or TLS 1.3: its newest is TLS 1.1");
});

Deno.test("TlsNetwork names its versions when the two sides share none", async () => {
  const memory = new MemoryNetwork();
  const listener = memory.listen({ hostname: "127.0.0.1", port: 0 });
  for (const [minVersion, versions] of [["TLSv1.2", "TLS 1.2 or TLS 1.3"], ["TLSv1.3", "TLS 1.3"]] as const) {
    const client = new TlsNetwork(memory, { client: { minVersion } }).connect({
      port: listener.address.port,
    });
    const failed = assertRejects(
      () => client,
      TlsError,
      `Peer refused to speak ${versions}: received fatal alert`,
    );
    const peer = await listener.accept();
    await peer.write(Uint8Array.from([0x15, 3, 3, 0, 2, 2, 70]));
    await failed;
    peer.close();
  }
  listener.close();
});

Deno.test("assertTakesStreams() throws for a runtime in which every handshake would hang", () => {
  assertTakesStreams({ listenerCount: () => 1 });
  assertThrows(
    () => assertTakesStreams({ listenerCount: () => 0 }),
    Deno.errors.NotSupported,
    "expected Deno 2.8 or later",
  );
});

Deno.test("TlsNetwork chooses the certificate by name when the hello arrives in pieces", async () => {
  const memory = new MemoryNetwork();
  const other = await authority.issue("other", ["DNS:b.test"]);
  await using server = startEcho({ hosts: { "b.test": other } }, { inner: memory });
  const slicing = faultyNetwork({ network: memory, faults: { slice: true }, random: () => 0 });
  for (const [serverName, name] of [["a.test", "server"], ["b.test", "other"]] as const) {
    const network = new TlsNetwork(slicing, { client: { ca: authority.certificate, serverName } });
    const transport = await network.connect({ hostname: "127.0.0.1", port: server.listener.port });
    assert(transport instanceof TlsTransport);
    assertEquals((await transport.secured).peerName, name);
    transport.close();
  }
});
