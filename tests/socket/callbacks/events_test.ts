import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type CloseReason,
  connect,
  describeCloseReason,
  lineCodec,
  listen,
  TcpServer,
  TcpSocket,
} from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { until } from "../../_util/until.ts";
import { ownAddress } from "../../_util/network/own_address.ts";

const HOST = "127.0.0.1";

/** A server of lines that notes what it is called with. */
function startServer(overrides: Partial<Parameters<TcpServer<string>["listen"]>[2]> = {}) {
  const events: string[] = [];
  const server = new TcpServer({ codec: lineCodec({ maxLine: 10 }) });
  server.listen(HOST, 0, {
    started: (address) => events.push(`started ${address.hostname}`),
    connected: (id) => events.push(`connected ${id}`),
    data: (id, line) => events.push(`data ${id} ${line}`),
    disconnected: (id, reason) => events.push(`disconnected ${id} ${describeCloseReason(reason)}`),
    error: (error, id) => events.push(`error ${id} ${error.message}`),
    ...overrides,
  });
  return { server, events, port: server.address!.port };
}

Deno.test("TcpServer calls its callbacks, and finds connections by id", async () => {
  const { server, events, port } = startServer();
  assertEquals(events, ["started 127.0.0.1"]);
  await using client = await connect({ port });
  client.send("one");
  client.send("two");
  await until(() => events.length === 4);
  assertEquals(events.slice(1), ["connected 1", "data 1 one", "data 1 two"]);
  assertEquals(server.ids, [1]);
  assert(server.send(1, "welcome"));
  assertEquals((await client[Symbol.asyncIterator]().next()).value, "welcome");
  const { remote, age, bytesIn, bytesOut } = server.info(1)!;
  assertEquals([remote.port, bytesIn, bytesOut], [client.local.port, 8, 8]);
  assert(age >= 0);
  await client.close();
  await until(() => events.length === 5);
  assertEquals(events[4], "disconnected 1 natural");
  assertEquals([server.ids, server.info(1), server.send(1, "gone")], [[], undefined, false]);
  await server.stop();
});

Deno.test("TcpServer.disconnect() ends only one connection after sending its queue", async () => {
  const { server, events, port } = startServer();
  await using first = await connect({ port });
  await using second = await connect({ port });
  await until(() => server.ids.length === 2);
  server.send(1, "bye");
  const disconnected = server.disconnect(1);
  assertEquals(await Array.fromAsync(first), ["bye"]);
  await first.close();
  await disconnected;
  await until(() => events.includes("disconnected 1 local: disconnected"));
  await server.disconnect(1);
  second.send("still");
  await until(() => events.includes("data 2 still"));
  const stopped = server.stop();
  assertEquals(await Array.fromAsync(second), []);
  await second.close();
  await stopped;
  assertEquals(server.address, undefined);
});

Deno.test("TcpServer.suspend() queues new connections until resume(), and serves open ones", async () => {
  const { server, events, port } = startServer();
  await using early = await connect({ port });
  await until(() => server.ids.length === 1);
  server.suspend();
  await using late = await connect({ port });
  late.send("late");
  early.send("early");
  await until(() => events.includes("data 1 early"));
  assertEquals(server.ids, [1]);
  server.resume();
  await until(() => events.includes("data 2 late"));
  for (const client of [early, late]) client.abort();
  await server.stop();
  server.suspend(); // Nothing to do, as it does not listen.
  server.resume();
});

Deno.test("TcpServer passes callback and framing errors to `error`, without affecting other connections", async () => {
  const { server, events, port } = startServer({
    data(_id, line) {
      if (line === "boom") throw new Error("Callback failed");
      events.push(`data ${line}`);
    },
  });
  await using first = await connect({ port });
  await using second = await connect({ port });
  first.send("boom");
  first.send("on");
  second.send("x".repeat(11));
  await second.close();
  await until(() => events.includes("data on") && events.some((event) => event.startsWith("disconnected 2")));
  const errors = events.filter((event) => event.startsWith("error"));
  assertEquals(errors.toSorted(), ["error 1 Callback failed", "error 2 Line is over the limit of 10 bytes"]);
  assertEquals(server.ids, [1]);
  await Promise.all([server.stop(), first.close()]);
});

Deno.test("TcpServer.listen() passes a port in use to `error`, and succeeds again after stop()", async () => {
  const hostname = ownAddress();
  const taken = listen({ hostnames: [hostname] });
  const errors: Error[] = [];
  const server = new TcpServer();
  const callbacks = { error: (error: Error) => errors.push(error) };
  server.listen(hostname, taken.port, callbacks);
  assert(errors[0] instanceof Deno.errors.AddrInUse);
  await taken.close();
  server.listen(hostname, taken.port, callbacks);
  assertThrows(() => server.listen(HOST, 0, callbacks), TypeError, "listens already");
  await server.stop();
  server.listen(hostname, taken.port, callbacks);
  await server.stop();
  assertEquals(errors.length, 1);
});

Deno.test("TcpSocket calls its callbacks, with bytes by default", async () => {
  const { server, events, port } = startServer({ data: (id) => server.send(id, "answer") });
  const seen: string[] = [];
  const socket = new TcpSocket();
  socket.connect(HOST, port, {
    connected: () => socket.send(new TextEncoder().encode("question\n")),
    data: (bytes) => seen.push(new TextDecoder().decode(bytes)),
    disconnected: (reason) => seen.push(describeCloseReason(reason)),
    error: (error) => seen.push(error.message),
  });
  assertThrows(() => socket.connect(HOST, port, { error() {} }), TypeError, "in use");
  await until(() => seen.length === 1);
  assertEquals([socket.info?.bytesIn, socket.info?.bytesOut, socket.info?.remote.port], [7, 9, port]);
  await socket.disconnect();
  assertEquals(seen, ["answer\n", "local: disconnected"]);
  assertEquals([socket.info, socket.send(new Uint8Array(1))], [undefined, false]);
  await until(() => events.includes("disconnected 1 natural"));
  await server.stop();
});

Deno.test("TcpSocket reconnects with back-off up to its limit, and passes each failure to `error`", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const events: string[] = [];
  const note = (event: string) => events.push(`${clock.now()} ${event}`);
  const socket = new TcpSocket({
    codec: lineCodec(),
    clock,
    network,
    random: () => 1,
    reconnect: { maxAttempts: 4, delay: 100, maxDelay: 500 },
  });
  const listener = listen({ port: 7, clock, network });
  const served = listener.serve(async (peer) => {
    for await (const line of peer) note(`heard ${line}`);
  });
  socket.connect(HOST, 7, {
    connected: () => {
      note("connected");
      socket.send("hello");
    },
    disconnected: (reason: CloseReason) => note(reason.type),
    error: (error) => note(error.message),
  });
  await clock.advance(0);
  assertEquals(events, ["0 connected", "0 heard hello"]);
  events.length = 0;
  await clock.runUntil(listener.close());
  await clock.runUntil(served);
  await clock.advance(10_000);
  const refused = "Cannot connect to 127.0.0.1:7: refused";
  assertEquals(events.slice(1), [100, 300, 700, 1200].map((time) => `${time} ${refused}`));
  assertEquals(clock.timers, 0);

  const back = listen({ port: 7, clock, network });
  socket.connect(HOST, 7, { connected: () => note("again"), error: (error) => note(error.message) });
  await clock.advance(0);
  assertEquals(events.at(-1), "10000 again");
  await clock.runUntil(Promise.all([socket.disconnect(), back.close()]));
});

Deno.test("TcpSocket.disconnect() stops a pending reconnect", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const errors: Error[] = [];
  const socket = new TcpSocket({ clock, network, reconnect: {} });
  socket.connect(HOST, 7, { error: (error) => errors.push(error) });
  await clock.advance(0);
  assertEquals(errors.length, 1);
  await clock.runUntil(socket.disconnect());
  assertEquals([errors.length, clock.timers], [1, 0]);
});
