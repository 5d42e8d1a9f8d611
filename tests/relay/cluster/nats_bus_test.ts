// What NATS adds to the tests of every bus.
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { NatsBus } from "../../../relay/cluster/nats_bus.ts";
import { listen } from "../../../socket/mod.ts";
import { ClientTls } from "../../../tls/mod.ts";
import { BusRecorder } from "../../_util/network/bus_recorder.ts";
import { ForgetfulNats } from "../../_util/programs/forgetful_nats.ts";
import { HAS_NATS, NatsServer } from "../../_util/programs/nats_server.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

/** Options for tests with a NATS server. A server that does not come up must not block the run. */
const NATS = { ignore: !HAS_NATS, timeout: 30_000 } as const;

Deno.test(
  "NatsBus is disconnected without its server, and reconnects to it",
  NATS,
  async () => {
    const host = ownAddress();
    let server = await NatsServer.start({ host });
    const { port, url } = server;
    await using a = new BusRecorder(new NatsBus({ node: "a", servers: [url] }));
    await using b = new BusRecorder(new NatsBus({ node: "b", servers: [url] }));
    await a.bus.connect();
    await b.bus.connect();
    await server[Symbol.asyncDispose]();
    await a.until("status disconnected");
    await b.until("status disconnected");
    assertEquals(a.bus.send("b", "lost"), false);
    a.events.length = b.events.length = 0;
    server = await NatsServer.start({ host, port });
    await using _ = server;
    await a.until("status connected");
    await b.until("status connected");
    assertEquals(a.bus.send("b", "found"), true);
    await b.until("found");
    assertEquals(b.events, ["status connected", "found"]);
    await b.bus.close();
    await a.bus.close();
  },
);

Deno.test("NatsBus separates clusters by their name", NATS, async () => {
  await using server = await NatsServer.start();
  const servers = [server.url];
  await using a = new BusRecorder(new NatsBus({ node: "a", servers, name: "one" }));
  await using b = new BusRecorder(new NatsBus({ node: "b", servers, name: "two" }));
  await using c = new BusRecorder(new NatsBus({ node: "c", servers, name: "one" }));
  for (const { bus } of [a, b, c]) await bus.connect();
  a.bus.publish("for one");
  await c.until("for one");
  b.bus.publish("for two");
  a.bus.publish("again for one");
  await c.until("again for one");
  assertEquals(b.events, ["status connected"]);
});

Deno.test(
  "NatsBus presents the user and password, or the token, of its URL",
  NATS,
  async () => {
    await using byUser = await NatsServer.start({ args: ["--user", "ann", "--pass", "s3:cret"] });
    await using byToken = await NatsServer.start({ args: ["--auth", "t0ken"] });
    for (
      const [good, bad] of [
        [`nats://ann:s3%3Acret@127.0.0.1:${byUser.port}`, `nats://ann:wrong@127.0.0.1:${byUser.port}`],
        [`nats://t0ken@127.0.0.1:${byToken.port}`, byToken.url],
      ]
    ) {
      await using a = new BusRecorder(new NatsBus({ node: "a", servers: [good!] }));
      await a.bus.connect();
      assertEquals(a.bus.status, "connected");
      await using b = new BusRecorder(new NatsBus({ node: "b", servers: [bad!] }));
      const error = await assertRejects(
        () => b.bus.connect(),
        Error,
        "Cannot connect to NATS at nats://127.0.0.1:",
      );
      assertEquals(error.message.includes("wrong"), false);
    }
  },
);

Deno.test("NatsBus.connect() rejects and names the servers when none can be reached", async () => {
  await using a = new BusRecorder(new NatsBus({ node: "a", servers: ["nats://127.0.0.1:1"] }));
  await assertRejects(() => a.bus.connect(), Error, "Cannot connect to NATS at nats://127.0.0.1:1: ");
});

Deno.test("NatsBus.connect() names the reason when TLS with the server fails", NATS, async () => {
  await using authority = await Authority.create();
  await using stranger = await Authority.create();
  const identity = await authority.issue("nats", ["DNS:localhost", "IP:127.0.0.1"]);
  const { certificate, key, authority: ca } = authority.files;
  const files = ["--tls", "--tlscert", certificate, "--tlskey", key];
  await using plain = await NatsServer.start();
  await using secured = await NatsServer.start({ args: files });
  await using verifying = await NatsServer.start({ args: [...files, "--tlsverify", "--tlscacert", ca] });
  const known = new ClientTls({ ca: authority.certificate });
  const member = new ClientTls({ ca: authority.certificate, identity });
  for (
    const [{ port }, tls, reason] of [
      [verifying, known, /received fatal alert: (BadCertificate|CertificateRequired)$/],
      [
        verifying,
        new ClientTls({ ca: authority.certificate, identity: await stranger.issue("nats") }),
        /received fatal alert: (BadCertificate|UnknownCA)$/,
      ],
      [secured, new ClientTls({ ca: stranger.certificate }), /TLS certificate refused/],
      [secured, undefined, /the server requires TLS/],
      [plain, known, /server does not support 'tls'/],
    ] as const
  ) {
    const options = {
      node: "a",
      servers: [`nats://127.0.0.1:${port}`],
      ...(tls && { tls, requireTls: true }),
    };
    await using a = new BusRecorder(new NatsBus(options));
    const error = await assertRejects(() => a.bus.connect(), Error);
    assertMatch(error.message, reason);
    assertMatch(error.message, new RegExp(`^Cannot connect to NATS at nats://127.0.0.1:${port}: `));
  }
  for (const [{ port }, tls] of [[secured, known], [verifying, member], [plain, undefined]] as const) {
    await using a = new BusRecorder(
      new NatsBus({ node: "a", servers: [`nats://127.0.0.1:${port}`], ...(tls && { tls }) }),
    );
    await a.bus.connect();
    assertEquals(a.bus.status, "connected");
  }
});

Deno.test("NatsBus.connect() rejects when another server answers, or closes", async () => {
  await using http = listen({ port: 0 });
  http.serve((peer) => void peer.send("HTTP/1.1 400 Bad Request"));
  await using closing = listen({ port: 0 });
  closing.serve((peer) => void peer.close());
  for (
    const [{ port }, reason] of [[http, "this is not a NATS server"], [closing, "the server closed"]] as const
  ) {
    await using a = new BusRecorder(new NatsBus({ node: "a", servers: [`nats://127.0.0.1:${port}`] }));
    await assertRejects(() => a.bus.connect(), Error, reason);
  }
});

Deno.test(
  "NatsBus connects again when the server refuses it several times in a row",
  { timeout: 30_000 },
  async () => {
    const nats = new ForgetfulNats();
    await using server = nats.listen();
    const warnings: string[] = [];
    const servers = [`nats://127.0.0.1:${server.port}`];
    await using a = new BusRecorder(
      new NatsBus({ node: "a", servers, onWarning: (message) => warnings.push(message) }),
    );
    await a.bus.connect();
    nats.refusals = 3;
    nats.disconnect();
    await a.until("status disconnected");
    await a.untilCount("status connected", 2);
    assertEquals(nats.refusals, 0);
    assertMatch(warnings.join("\n"), /NATS: .*Authorization Violation/);
  },
);

Deno.test("NatsBus.connect() goes on to the next server when one cannot be reached", NATS, async () => {
  await using server = await NatsServer.start();
  await using a = new BusRecorder(new NatsBus({ node: "a", servers: ["nats://127.0.0.1:1", server.url] }));
  await a.bus.connect();
  assertEquals(a.bus.status, "connected");
});

Deno.test("NatsBus throws for a name that cannot be part of a subject", () => {
  for (const name of ["", "a.b", "a b", "*", "x".repeat(65)]) {
    assertThrows(
      () => new NatsBus({ node: "a", servers: ["nats://a"], name }),
      RangeError,
      "Cannot use cluster name",
    );
  }
});
