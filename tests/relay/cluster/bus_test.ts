// Every bus must pass these. What may differ (losses, order) is up to membership and the router to repair.
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import type { Bus } from "../../../relay/cluster/bus.ts";
import { LocalBus } from "../../../relay/cluster/local_bus.ts";
import { MemoryBusHub } from "../../../relay/cluster/memory_bus.ts";
import { NatsBus } from "../../../relay/cluster/nats_bus.ts";
import { listen, systemClock } from "../../../socket/mod.ts";
import { ClientTls } from "../../../tls/mod.ts";
import { Watch } from "../../../internal/watch.ts";
import { Authority } from "../../_util/tls/certificates.ts";
import { HAS_NATS, NatsServer } from "../../_util/programs/nats_server.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** Options for tests with a NATS server. A server that does not come up must not block the run. */
const NATS = { ignore: !HAS_NATS, timeout: 30_000 } as const;

/** A place where nodes meet. */
interface Meeting extends AsyncDisposable {
  join(node: string): Bus;
}

const MEETINGS: Readonly<Record<string, () => Meeting | Promise<Meeting>>> = {
  memory: () => {
    const hub = new MemoryBusHub({ clock: systemClock });
    return { join: (node) => hub.join(node), [Symbol.asyncDispose]: () => Promise.resolve() };
  },
  local: () => {
    const folder = new TempDir();
    return {
      join: (node) => new LocalBus({ node, folder: folder.path }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  },
  nats: async () => {
    const server = await NatsServer.start();
    return {
      join: (node) => new NatsBus({ node, servers: [server.url] }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

/** A node that records what its bus reports. */
class Recorder implements AsyncDisposable {
  readonly bus: Bus;
  readonly events: string[] = [];
  readonly #watch = new Watch(() => this.events);

  constructor(bus: Bus) {
    this.bus = bus;
    const add = (event: string) => {
      this.events.push(event);
      this.#watch.changed();
    };
    bus.receive({
      onMessage: (message) => add(message),
      onStatus: () => add(`status ${bus.status}`),
      onGone: (node) => add(`gone ${node}`),
    });
  }

  /** Waits for an event. */
  async until(event: string): Promise<void> {
    await this.#watch.until((events) => events.includes(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
  }
}

for (const [kind, meet] of Object.entries(MEETINGS)) {
  const options = kind === "nats" ? NATS : {};

  Deno.test(
    `Bus delivers to one node, and to all nodes, in any order of joining (${kind})`,
    options,
    async () => {
      await using meeting = await meet();
      await using a = new Recorder(meeting.join("a"));
      await using b = new Recorder(meeting.join("b"));
      await using c = new Recorder(meeting.join("c"));
      for (const { bus } of [a, b, c]) await bus.connect();
      assertEquals(a.bus.status, "connected");
      c.bus.publish("from c");
      await Promise.all([a.until("from c"), b.until("from c")]);
      a.bus.send("c", "a to c");
      a.bus.publish("from a");
      await Promise.all([b.until("from a"), c.until("from a"), c.until("a to c")]);
      assertEquals(b.events, ["status connected", "from c", "from a"]);
    },
  );

  Deno.test(`Bus carries any text up to its limit (${kind})`, options, async () => {
    await using meeting = await meet();
    await using a = new Recorder(meeting.join("a"));
    await using b = new Recorder(meeting.join("b"));
    await a.bus.connect();
    await b.bus.connect();
    const texts = ["", "two\nlines", "\u{1F600} é \0", "x".repeat(a.bus.maxMessage)];
    b.bus.publish("here");
    await a.until("here");
    for (const text of texts) assertEquals(a.bus.send("b", text), true);
    await b.until(texts[3]!);
    assertEquals(b.events.slice(1), texts);
  });

  Deno.test(
    `Bus.close() ends in status closed, and sends nothing after it (${kind})`,
    options,
    async () => {
      await using meeting = await meet();
      const a = new Recorder(meeting.join("a"));
      await using b = new Recorder(meeting.join("b"));
      await a.bus.connect();
      await b.bus.connect();
      b.bus.publish("here");
      await a.until("here");
      await a.bus.close();
      await a.bus.close();
      assertEquals(a.bus.status, "closed");
      assertEquals(a.bus.send("b", "late"), false);
    },
  );
}

Deno.test("LocalBus reports a node whose links break", async () => {
  await using meeting = await MEETINGS.local!();
  await using a = new Recorder(meeting.join("a"));
  const b = new Recorder(meeting.join("b"));
  await a.bus.connect();
  await b.bus.connect();
  b.bus.publish("here");
  await a.until("here");
  await b.bus.close();
  await a.until("gone b");
  assertEquals(a.bus.send("b", "late"), false);
});

Deno.test("LocalBus connects past the socket of a process that was killed, and removes it", async () => {
  await using folder = new TempDir();
  const listener = Deno.listen({ transport: "unix", path: `${folder.path}/before` });
  await Deno.rename(`${folder.path}/before`, `${folder.path}/dead.sock`);
  listener.close();
  await using a = new Recorder(new LocalBus({ node: "a", folder: folder.path }));
  await a.bus.connect();
  assertEquals(await folder.names(), ["a.sock"]);
});

Deno.test(
  "NatsBus is disconnected without its server, and reconnects to it",
  NATS,
  async () => {
    let server = await NatsServer.start();
    const { port, url } = server;
    await using a = new Recorder(new NatsBus({ node: "a", servers: [url] }));
    await using b = new Recorder(new NatsBus({ node: "b", servers: [url] }));
    await a.bus.connect();
    await b.bus.connect();
    await server[Symbol.asyncDispose]();
    await a.until("status disconnected");
    await b.until("status disconnected");
    assertEquals(a.bus.send("b", "lost"), false);
    a.events.length = b.events.length = 0;
    server = await NatsServer.start({ port });
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
  await using a = new Recorder(new NatsBus({ node: "a", servers, name: "one" }));
  await using b = new Recorder(new NatsBus({ node: "b", servers, name: "two" }));
  await using c = new Recorder(new NatsBus({ node: "c", servers, name: "one" }));
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
      await using a = new Recorder(new NatsBus({ node: "a", servers: [good!] }));
      await a.bus.connect();
      assertEquals(a.bus.status, "connected");
      await using b = new Recorder(new NatsBus({ node: "b", servers: [bad!] }));
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
  await using a = new Recorder(new NatsBus({ node: "a", servers: ["nats://127.0.0.1:1"] }));
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
    await using a = new Recorder(new NatsBus(options));
    const error = await assertRejects(() => a.bus.connect(), Error);
    assertMatch(error.message, reason);
    assertMatch(error.message, new RegExp(`^Cannot connect to NATS at nats://127.0.0.1:${port}: `));
  }
  for (const [{ port }, tls] of [[secured, known], [verifying, member], [plain, undefined]] as const) {
    await using a = new Recorder(
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
    await using a = new Recorder(new NatsBus({ node: "a", servers: [`nats://127.0.0.1:${port}`] }));
    await assertRejects(() => a.bus.connect(), Error, reason);
  }
});

Deno.test("NatsBus.connect() goes on to the next server when one cannot be reached", NATS, async () => {
  await using server = await NatsServer.start();
  await using a = new Recorder(new NatsBus({ node: "a", servers: ["nats://127.0.0.1:1", server.url] }));
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
