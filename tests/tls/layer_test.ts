import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { runRelayClient, startRelay } from "../../relay/mod.ts";
import { connect, ConnectError, listen, TlsError } from "../../socket/mod.ts";
import { ClientTls, ServerTls } from "../../tls/mod.ts";
import { Authority } from "../_util/tls/certificates.ts";
import { TlsFixture } from "../_util/tls/tls_fixture.ts";

let fixture: TlsFixture;

Deno.test.beforeAll(async () => {
  fixture = await TlsFixture.create();
});

Deno.test.afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

Deno.test("ServerTls.reload() applies to new connections of every listener, and only to them", async () => {
  await using other = await Authority.create();
  const tls = new ServerTls({ identity: fixture.identity });
  await using one = listen({ tls });
  await using two = listen({ tls });
  for (const server of [one, two]) {
    void server.serve(async (peer) => {
      for await (const line of peer) peer.send(line);
    });
  }
  const before = new ClientTls({ ca: fixture.authority.certificate });
  const after = new ClientTls({ ca: other.certificate });
  await using early = await connect({ port: one.port, tls: before });
  tls.reload({ identity: await other.issue("server", ["DNS:localhost", "IP:127.0.0.1"]) });
  for (const { port } of [one, two]) {
    await assertRejects(() => connect({ port, tls: before }), ConnectError, "certificate");
    await using late = await connect({ port, tls: after });
    late.send("hello");
    assertEquals((await late[Symbol.asyncIterator]().next()).value, "hello");
  }
  early.send("still here");
  assertEquals((await early[Symbol.asyncIterator]().next()).value, "still here");
});

Deno.test("ServerTls.reload() changes nothing when the new certificate cannot be used", async () => {
  const tls = new ServerTls({ identity: fixture.identity });
  await using server = listen({ tls });
  void server.serve(() => {});
  assertThrows(() => tls.reload({ identity: { certificate: "none", key: "none" } }), TlsError);
  await using _ = await connect({
    port: server.port,
    tls: new ClientTls({ ca: fixture.authority.certificate }),
  });
});

Deno.test("ServerTls and ClientTls reject options that cannot be used when they are created", () => {
  const identity = { certificate: "none", key: "none" };
  for (const create of [() => new ServerTls({ identity }), () => new ClientTls({ identity })]) {
    assertEquals(assertThrows(create, TlsError).code, "certificate");
  }
  assertThrows(() => new ClientTls({ ca: "none" }), TlsError);
});

Deno.test("runRelayClient() reaches startRelay() over TLS, and not without it", async () => {
  await using server = startRelay({ tls: new ServerTls({ identity: fixture.identity }) });
  const tls = new ClientTls({ ca: fixture.authority.certificate });
  const { acknowledged } = await runRelayClient({ port: server.port, text: "hello", tls });
  assertEquals(acknowledged, true);
  const plain = await runRelayClient({ port: server.port, text: "hello", limits: { maxAttempts: 1 } });
  assertEquals(plain.acknowledged, false);
});
