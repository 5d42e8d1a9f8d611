import { assertEquals, assertRejects } from "@std/assert";
import { DatagramRoom } from "../../../services/udp/room.ts";
import { startDatagramEcho } from "../../../services/mod.ts";
import { DatagramSocket, formatAddress, MAX_DATAGRAM, systemClock } from "../../../socket/mod.ts";
import { VirtualClock } from "../../../testing/mod.ts";
import { ownAddress } from "../../_util/network/own_address.ts";
import { until } from "../../_util/until.ts";
import { pure } from "../../_util/permissions.ts";

const utf8 = new TextEncoder();

/** The next datagram as text, and none of those after it. */
async function next(socket: DatagramSocket): Promise<string> {
  for await (const { bytes } of socket) return new TextDecoder().decode(bytes);
  throw new Error("Socket was closed");
}

Deno.test("startDatagramEcho() echoes datagrams of every size", async () => {
  await using server = startDatagramEcho();
  using client = new DatagramSocket();
  for (const size of [0, 1, 1472, 1473, MAX_DATAGRAM]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index);
    assertEquals(await client.ask(bytes, server.addresses[0]!), bytes);
  }
  assertEquals(server.stats(), {
    received: 5,
    sent: 5,
    bytesIn: 2946 + MAX_DATAGRAM,
    bytesOut: 2946 + MAX_DATAGRAM,
    failed: 0,
    ignored: 0,
    limited: 0,
    senders: 0,
  });
});

Deno.test("DatagramSocket.send() throws when a datagram is too long", async () => {
  using socket = new DatagramSocket();
  await assertRejects(
    () => socket.send(new Uint8Array(MAX_DATAGRAM + 1), socket.address),
    RangeError,
    "65508 bytes: at most 65507",
  );
});

Deno.test("DatagramSocket.ask() resends until it receives an answer", async () => {
  using server = new DatagramSocket();
  using client = new DatagramSocket();
  const heard: string[] = [];
  const served = (async () => {
    for await (const { bytes, from } of server) {
      // The first two are lost; a stray answer does not count.
      if (heard.push(new TextDecoder().decode(bytes)) < 3) continue;
      await server.send(utf8.encode("stray"), from);
      await server.send(bytes, from);
    }
  })();
  const answer = await client.ask(utf8.encode("hello"), server.address, {
    timeout: 5,
    attempts: 100,
    isAnswer: (bytes) => new TextDecoder().decode(bytes) === "hello",
  });
  assertEquals(new TextDecoder().decode(answer), "hello");
  assertEquals(heard.slice(0, 3), ["hello", "hello", "hello"]);
  server.close();
  await served;
});

Deno.test("DatagramSocket.ask() drops datagrams from other addresses", async () => {
  using server = new DatagramSocket();
  using other = new DatagramSocket();
  using client = new DatagramSocket();
  const asked = client.ask(utf8.encode("question"), server.address);
  await next(server);
  await other.send(utf8.encode("forged"), client.address);
  await server.send(utf8.encode("answer"), client.address);
  assertEquals(new TextDecoder().decode(await asked), "answer");
});

Deno.test("DatagramSocket.ask() names the other address when a datagram came from there instead", async () => {
  using server = new DatagramSocket();
  using other = new DatagramSocket();
  using client = new DatagramSocket();
  await other.send(utf8.encode("x"), client.address);
  await assertRejects(
    () => client.ask(utf8.encode("x"), server.address, { timeout: 50, attempts: 1 }),
    Deno.errors.TimedOut,
    `asked 1 time, but a datagram came from ${formatAddress(other.address)}`,
  );
});

Deno.test("DatagramSocket.ask() throws without an answer, and the socket remains usable", async () => {
  using server = new DatagramSocket();
  using client = new DatagramSocket();
  await assertRejects(
    () => client.ask(utf8.encode("x"), server.address, { timeout: 2, attempts: 2 }),
    Deno.errors.TimedOut,
    `No answer from ${formatAddress(server.address)} within 2 ms, asked 2 times`,
  );
  assertEquals([await next(server), await next(server)], ["x", "x"]);
  await server.send(utf8.encode("late"), client.address);
  assertEquals(await next(client), "late");
});

Deno.test("DatagramSocket.close() ends a loop and a pending ask()", async () => {
  const socket = new DatagramSocket();
  const all = Array.fromAsync(socket);
  socket.close();
  socket.close();
  assertEquals(await all, []);
  const asking = new DatagramSocket();
  const asked = assertRejects(
    () => asking.ask(utf8.encode("x"), asking.address, { isAnswer: () => false }),
    Deno.errors.Interrupted,
  );
  await until(() => asking.stats().received === 1);
  asking.close();
  await asked;
});

Deno.test("startDatagramEcho() with chat forwards a datagram to all other recent senders", async () => {
  await using server = startDatagramEcho({ chat: true, limits: { maxSenders: 2 } });
  const to = server.addresses[0]!;
  using ann = new DatagramSocket();
  using bob = new DatagramSocket();
  using cid = new DatagramSocket();
  await ann.send(utf8.encode("first"), to);
  await until(() => server.stats().received === 1);
  await bob.send(utf8.encode("hello\x1b[2J\n"), to);
  assertEquals(await next(ann), `${formatAddress(bob.address)}: hello\ufffd[2J`);
  await ann.send(utf8.encode("hi"), to);
  assertEquals(await next(bob), `${formatAddress(ann.address)}: hi`);
  await cid.send(utf8.encode("let me in"), to);
  assertEquals(await next(cid), "error the room is full");
  await ann.send(new Uint8Array(MAX_DATAGRAM), to);
  assertEquals(await next(ann), "error message is too long to be forwarded");
  assertEquals([server.stats().senders, server.stats().sent], [2, 4]);
});

Deno.test("DatagramRoom removes senders when they are silent for forgetAfter", pure, () => {
  const room = new DatagramRoom<string>({ maxSenders: 2, forgetAfter: 1000 });
  const [ann, bob, cid] = [1, 2, 3].map((port) => ({
    address: { hostname: "10.0.0.1", port },
    via: `socket ${port}`,
  }));
  const others = (sender: typeof ann, now: number) =>
    room.hear(sender!, now)?.map(({ address, via }) => ({ address, via }));
  assertEquals(others(ann, 0), []);
  assertEquals(others(bob, 500), [ann!]);
  assertEquals(others(cid, 999), undefined);
  assertEquals(others(ann, 999), [bob!]);
  assertEquals(others(cid, 1500), [ann!]);
  assertEquals(room.size, 2);
});

Deno.test("startDatagramEcho() with chat forwards between IPv4 and IPv6", async () => {
  await using server = startDatagramEcho({ chat: true, hostnames: ["127.0.0.1", "::1"] });
  using ann = new DatagramSocket();
  using bob = new DatagramSocket({ hostname: "::1" });
  await ann.send(utf8.encode("first"), server.addresses[0]!);
  await until(() => server.stats().received === 1);
  await bob.send(utf8.encode("second"), server.addresses[1]!);
  assertEquals(await next(ann), `${formatAddress(bob.address)}: second`);
  await ann.send(utf8.encode("third"), server.addresses[0]!);
  assertEquals(await next(bob), `${formatAddress(ann.address)}: third`);
  assertEquals(server.stats().failed, 0);
});

Deno.test("startDatagramEcho() echoes the largest IPv6 datagrams completely", async () => {
  await using server = startDatagramEcho({ hostnames: ["::1"] });
  using client = new DatagramSocket({ hostname: "::1" });
  for (const size of [MAX_DATAGRAM + 1, MAX_DATAGRAM + 20]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index);
    assertEquals(await client.ask(bytes, server.addresses[0]!), bytes);
  }
  await assertRejects(
    () => client.send(new Uint8Array(MAX_DATAGRAM + 21), server.addresses[0]!),
    RangeError,
    "65528 bytes: at most 65527",
  );
});

Deno.test("startDatagramEcho() answers at most answerRate datagrams per second and address", async () => {
  const clock = new VirtualClock();
  await using server = startDatagramEcho({ limits: { answerRate: 3 }, clock });
  using client = new DatagramSocket();
  using sameAddress = new DatagramSocket();
  for (const socket of [client, client, sameAddress, sameAddress, client]) {
    await socket.send(utf8.encode("x"), server.addresses[0]!);
    const { received } = server.stats();
    await until(() => server.stats().received > received || server.stats().received === 5);
  }
  await until(() => server.stats().sent + server.stats().limited === 5);
  assertEquals([server.stats().sent, server.stats().limited], [3, 2]);
  await clock.advance(1000);
  await client.send(utf8.encode("later"), server.addresses[0]!);
  assertEquals([await next(client), await next(client), await next(client)], ["x", "x", "later"]);
});

Deno.test("startDatagramEcho() binds all addresses on one port, or throws", async () => {
  const [first, second, third] = [ownAddress(), ownAddress(), ownAddress()];
  await using server = startDatagramEcho({ hostnames: [first, second] });
  assertEquals(server.addresses.map(({ port }) => port), [server.port, server.port]);
  using client = new DatagramSocket();
  const bytes = utf8.encode("x");
  assertEquals(await client.ask(bytes, server.addresses[1]!, { clock: systemClock }), bytes);
  await assertRejects(
    async () => await startDatagramEcho({ hostnames: [third, second], port: server.port }).finished,
    Deno.errors.AddrInUse,
  );
  using free = new DatagramSocket({ hostname: third, port: server.port });
  assertEquals(free.address.port, server.port);
});
