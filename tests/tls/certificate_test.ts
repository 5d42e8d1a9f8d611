/** Which certificates TLS takes and gives. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { TlsError } from "../../socket/errors.ts";
import { certificateNames, checkIdentity, type Identity } from "../../tls/certificate.ts";
import { systemNetwork } from "../../socket/tcp.ts";
import { TlsNetwork } from "../../tls/mod.ts";
import { TlsTransport } from "../../tls/transport.ts";
import { talk, TlsFixture } from "../_util/tls/tls_fixture.ts";

let fixture: TlsFixture;

Deno.test.beforeAll(async () => {
  fixture = await TlsFixture.create();
});

Deno.test.afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

Deno.test("TlsNetwork presents the certificate of each name", async () => {
  const second = await fixture.authority.issue("second", ["DNS:second.test"]);
  await using server = fixture.startEcho({ hosts: { "second.test": second } });
  for (const [serverName, expected] of [["second.test", "second"], ["localhost", "server"]] as const) {
    const network = new TlsNetwork(systemNetwork, {
      client: { ca: fixture.authority.certificate, serverName },
    });
    const transport = await network.connect({ port: server.listener.port });
    assert(transport instanceof TlsTransport);
    assertEquals((await transport.secured).peerName, expected);
    transport.close();
  }
});

Deno.test("TlsNetwork.reload() changes the certificate of future connections", async () => {
  await using server = fixture.startEcho();
  const before = await fixture.dial(server);
  server.network.reload({ identity: await fixture.authority.issue("newer", ["DNS:newer.test"]) });
  const after = await fixture.dial(server, { serverName: "newer.test" });
  assertEquals(await talk(before, ["still"]), ["still", "after your end"]);
  assertEquals(await talk(after, ["here"]), ["here", "after your end"]);
  await Promise.all([before.close(), after.close()]);
  assertThrows(() => server.network.reload({ identity: { certificate: "none", key: "none" } }), TlsError);
  const later = await fixture.dial(server, { serverName: "newer.test" });
  await later.close();
});

Deno.test("TlsNetwork.reload() changes the certificates of names", async () => {
  const name = "second.test";
  await using server = fixture.startEcho({
    hosts: { [name]: await fixture.authority.issue("old", [`DNS:${name}`]) },
  });
  server.network.reload({
    identity: fixture.identity,
    hosts: { [name]: await fixture.authority.issue("new", [`DNS:${name}`]) },
  });
  const network = new TlsNetwork(systemNetwork, {
    client: { ca: fixture.authority.certificate, serverName: name },
  });
  const transport = await network.connect({ port: server.listener.port });
  assert(transport instanceof TlsTransport);
  assertEquals((await transport.secured).peerName, "new");
  transport.close();
});

Deno.test("TlsNetwork throws for a certificate or key that it cannot use", () => {
  for (
    const bad of [{ certificate: "x", key: fixture.identity.key }, {
      certificate: fixture.identity.certificate,
      key: "x",
    }]
  ) {
    const error = assertThrows(
      () => new TlsNetwork(systemNetwork, { server: { identity: bad } }),
      TlsError,
    );
    assertEquals(error.code, "certificate");
  }
});

Deno.test("TlsNetwork throws for a key that belongs to another certificate", async () => {
  const other = await fixture.authority.issue("other");
  assertThrows(
    () => new TlsNetwork(systemNetwork, { server: { identity: { ...fixture.identity, key: other.key } } }),
    TlsError,
  );
});

Deno.test("certificateNames() returns only the host names, in lower case", async () => {
  const { certificate } = await fixture.authority.issue("names", [
    "DNS:Chat.Example.org",
    "IP:127.0.0.1",
    "DNS:*.b.org",
  ]);
  assertEquals(certificateNames(certificate), ["chat.example.org", "*.b.org"]);
});

Deno.test("checkIdentity() reports a missing certificate or key, and an encrypted key", async () => {
  const { certificate, key } = await fixture.authority.issue("whole");
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
