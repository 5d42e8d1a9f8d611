/** Large responses, slow readers, and errors in the middle. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { HttpSession } from "../../../services/http/session.ts";
import { ItemStore } from "../../../services/http/item_store.ts";
import { Resources } from "../../../services/http/resources.ts";
import type { Response } from "../../../http/response.ts";
import { bytesCodec, type CloseReason, type Connection, listen } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { talk } from "../../_util/network/exchange.ts";
import { decodeChunks, get, HttpWorld } from "../../_util/http/http_world.ts";
import { pure } from "../../_util/permissions.ts";

const CLOSE = "Connection: close\r\n";
const KIB = 1024;

/** Returns the list of these items, as a client parses it. */
function listOf(sizes: readonly number[]): unknown {
  return sizes.map((size, index) => ({ id: index + 1, value: "x".repeat(size - 2) }));
}

async function storeAll(world: HttpWorld, sizes: readonly number[]): Promise<void> {
  for (const [index, size] of sizes.entries()) await world.store(index + 1, size);
}

Deno.test("HttpSession queues little of a long list for clients that never read", pure, async () => {
  await using world = new HttpWorld({ limits: { writeBuffer: 256 * KIB } });
  await storeAll(world, Array(20).fill(500 * KIB));
  const clients = [];
  for (let i = 0; i < 10; i++) clients.push(await world.ask(get("/items")));
  await world.clock.advance(1000);
  assertEquals([world.stats.connections, world.stats.closed["slow-reader"]], [10, 0]);
  // Two frames each.
  assert(world.stats.queuedBytes <= 10 * 130 * KIB, `${world.stats.queuedBytes} bytes are queued`);
  for (const { connection } of clients) connection.abort();
});

Deno.test("HttpSession queues little of one large item for a client that never reads", pure, async () => {
  await using world = new HttpWorld({ limits: { writeBuffer: 256 * KIB, maxBody: 4000 * KIB } });
  await world.store(1, 4000 * KIB);
  const client = await world.ask(get("/items/1"));
  await world.clock.advance(1000);
  assert(world.stats.queuedBytes <= 130 * KIB, `${world.stats.queuedBytes} bytes are queued`);
  const head = await world.clock.runUntil(client.upTo("\r\n\r\n"));
  assertStringIncludes(head, `\r\ncontent-length: ${4000 * KIB + `{"id":1,"value":}\n`.length}\r\n`);
  client.connection.abort();
});

Deno.test("HttpSession sends a long list in chunks, then serves the next request", pure, async () => {
  const sizes = [300 * KIB, 2, 64 * KIB, 100 * KIB];
  await using world = new HttpWorld();
  await storeAll(world, sizes);
  const client = await world.ask(get("/items") + get("/time", "1.1", CLOSE));
  const answer = await world.clock.runUntil(client.rest());
  const [list = "", time = ""] = answer.split(/(?=HTTP\/1\.1)/);
  assertStringIncludes(list, "\r\ntransfer-encoding: chunked\r\n");
  assertEquals(JSON.parse(decodeChunks(list)), listOf(sizes));
  assertStringIncludes(time, '{"time":"');
  await world.clock.runUntil(client.connection.close());
  assertEquals(world.ends.at(-1), { type: "natural" });
});

Deno.test("HttpSession ends a long list for HTTP/1.0 with the connection", pure, async () => {
  const sizes = [300 * KIB, 100 * KIB];
  await using world = new HttpWorld();
  await storeAll(world, sizes);
  const client = await world.ask(get("/items", "1.0", "Connection: keep-alive\r\n"));
  const [head = "", body = ""] = (await world.clock.runUntil(client.rest())).split("\r\n\r\n");
  assertStringIncludes(head, "\r\nconnection: close");
  assertEquals(JSON.parse(body), listOf(sizes));
  await world.clock.runUntil(client.connection.close());
});

Deno.test("HttpSession sends only the head of a long list for HEAD", pure, async () => {
  await using world = new HttpWorld();
  await storeAll(world, [300 * KIB]);
  const client = await world.ask(get("/items").replace("GET", "HEAD") + get("/time", "1.1", CLOSE));
  const [list = "", time = ""] = (await world.clock.runUntil(client.rest())).split(/(?=HTTP\/1\.1)/);
  assertMatch(list, /\r\ntransfer-encoding: chunked\r\n\r\n$/);
  assertStringIncludes(time, '{"time":"');
  await world.clock.runUntil(client.connection.close());
});

Deno.test("HttpSession applies neither its timeouts nor 408 while a slow client reads", pure, async () => {
  const sizes = [700 * KIB];
  await using world = new HttpWorld({ timeouts: { request: 4000, keepAlive: 4000 } });
  await storeAll(world, sizes);
  const [half, rest] = [get("/time", "1.1", CLOSE).slice(0, 10), get("/time", "1.1", CLOSE).slice(10)];
  const client = await world.ask(get("/items") + half);
  const pieces = client.connection[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let answer = "";
  while (!answer.endsWith("0\r\n\r\n")) {
    await world.clock.advance(1000);
    const { done, value } = await world.clock.runUntil(pieces.next());
    assert(!done, `The connection ended after ${answer.length} bytes: ${answer.slice(-200)}`);
    answer += decoder.decode(value);
  }
  assert(world.clock.now() > 8000, `It took ${world.clock.now()} ms`);
  assertEquals(JSON.parse(decodeChunks(answer)), listOf(sizes));
  await world.clock.runUntil(client.send(rest));
  assertStringIncludes(await world.clock.runUntil(client.rest()), '{"time":"');
  await world.clock.runUntil(client.connection.close());
});

Deno.test("HttpSession responds with 408 to half a request after a long response", pure, async () => {
  await using world = new HttpWorld({ timeouts: { request: 100 } });
  await storeAll(world, [700 * KIB]);
  const client = await world.ask(get("/items") + "GET");
  const answer = await world.clock.runUntil(client.rest());
  assertStringIncludes(answer, '"}]\n\r\n0\r\n\r\nHTTP/1.1 408 Request Timeout\r\n');
  await world.clock.runUntil(client.connection.close());
  assertEquals(world.stats.answers, { 200: 1, 201: 1, 408: 1 });
});

Deno.test("HttpSession waits for a slow client before it closes the connection", pure, async () => {
  await using world = new HttpWorld({ timeouts: { drain: 300 } });
  await storeAll(world, [300 * KIB]);
  const client = await world.ask(get("/items/1", "1.1", CLOSE));
  await world.clock.advance(10_000);
  const answer = await world.clock.runUntil(client.rest());
  assert(answer.endsWith('x"}\n'), answer.slice(-20));
  await world.clock.runUntil(client.connection.close());
  assertEquals(world.ends.at(-1), { type: "natural" });
});

Deno.test("startHttp() closes a client that stops reading, after timeouts.write", pure, async () => {
  await using world = new HttpWorld({ timeouts: { write: 5000 } });
  await storeAll(world, [300 * KIB]);
  const client = await world.ask(get("/items"));
  await world.clock.advance(4999);
  assertEquals(world.stats.connections, 1);
  await world.clock.runUntil(() => world.stats.connections === 0, { within: 1 });
  assertEquals(world.ends.at(-1), { type: "timeout", which: "write", ms: 5000 });
  client.connection.abort();
});

Deno.test("startHttp() closes a client that stops reading after a minute by default", pure, async () => {
  await using world = new HttpWorld();
  await storeAll(world, [300 * KIB]);
  const client = await world.ask(get("/items"));
  await world.clock.runUntil(() => world.stats.connections === 0, { within: 60_000 });
  assertEquals(world.ends.at(-1), { type: "timeout", which: "write", ms: 60_000 });
  client.connection.abort();
});

Deno.test("HttpSession creates no more of a response when its client has left", pure, async () => {
  await using world = new HttpWorld();
  await storeAll(world, Array(10).fill(300 * KIB));
  const client = await world.ask(get("/items"));
  await world.clock.advance(10);
  client.connection.abort();
  await world.clock.runUntil(() => world.stats.connections === 0, { within: 1000 });
  assertEquals([world.stats.queuedBytes, world.clock.timers], [0, 0]);
});

Deno.test("startHttp() completes a response in progress when it drains", pure, async () => {
  const sizes = [700 * KIB];
  await using world = new HttpWorld();
  await storeAll(world, sizes);
  const client = await world.ask(get("/items"));
  const pipelined = await world.ask(get("/items") + get("/time"));
  await world.clock.advance(10);
  const drained = world.server.shutdown();
  await world.clock.advance(1000);
  assertEquals(world.stats.connections, 2);
  assertEquals(JSON.parse(decodeChunks(await world.clock.runUntil(client.rest()))), listOf(sizes));
  const [list = "", time = ""] = (await world.clock.runUntil(pipelined.rest())).split(/(?=HTTP\/1\.1)/);
  assertEquals(JSON.parse(decodeChunks(list)), listOf(sizes));
  assertStringIncludes(time, "\r\nconnection: close\r\n");
  for (const { connection } of [client, pipelined]) await world.clock.runUntil(connection.close());
  await world.clock.runUntil(drained, { within: 1000 });
  assertEquals(world.stats.timeouts, {});
});

Deno.test("startHttp() cuts off a response at timeouts.drain", pure, async () => {
  await using world = new HttpWorld({ timeouts: { drain: 500 } });
  await storeAll(world, [700 * KIB]);
  const client = await world.ask(get("/items"));
  await world.clock.advance(10);
  await world.clock.runUntil(world.server.shutdown(), { within: 500 });
  assertEquals(world.ends.at(-1), { type: "timeout", which: "drain", ms: 500 });
  client.connection.abort();
});

Deno.test("startHttp() responds with 500 when it cannot create a response", pure, async () => {
  const error = new RangeError("The clock is broken");
  const errors: Error[] = [];
  await using world = new HttpWorld({
    now: () => {
      throw error;
    },
    onError: (cause) => void errors.push(cause),
  });
  const client = await world.ask(get("/time") + get("/"));
  const answer = await world.clock.runUntil(client.rest());
  assertMatch(answer, /^HTTP\/1\.1 500 Internal Server Error\r\n/);
  assertMatch(answer, /\r\nconnection: close\r\n[^]*\r\n\r\nThe response could not be created\n$/);
  await world.clock.runUntil(client.connection.close());
  await world.clock.runUntil(() => world.ends.length > 0);
  assertEquals(world.ends, [{ type: "handler-failed", error }]);
  assertEquals(errors, [error]);
  assertEquals(world.stats.answers, { 500: 1 });
  const other = await world.ask(get("/", "1.1", CLOSE));
  assertStringIncludes(await world.clock.runUntil(other.rest()), "It works");
  await world.clock.runUntil(other.connection.close());
});

/** Serves the first client with resources, until it has closed. */
async function serveBroken(
  respond: (connection: Connection<Uint8Array>) => Response,
): Promise<{ answer: string; ends: CloseReason[]; errors: Error[] }> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const ends: CloseReason[] = [];
  const errors: Error[] = [];
  const server = listen({
    clock,
    network,
    codec: bytesCodec,
    onEvent: (event) => void (event.type === "closed" && ends.push(event.reason)),
    onError: (error) => void errors.push(error),
  });
  const served = server.serve((connection) => {
    class BrokenResources extends Resources {
      override respond(): Response {
        return respond(connection);
      }
    }
    return new HttpSession(connection, {
      resources: new BrokenResources({ store: new ItemStore(), now: () => new Date() }),
      clock,
      limits: {},
      requestTimeout: 1000,
      keepAliveTimeout: 1000,
      onResponse: () => {},
    }).run();
  });
  const client = await clock.runUntil(talk(server.port, { clock, network }));
  await clock.runUntil(client.send(get("/") + get("/")));
  const answer = await clock.runUntil(client.rest());
  await clock.runUntil(Promise.all([client.connection.close(), server.close(), served]));
  assertEquals(clock.timers, 0);
  return { answer, ends, errors };
}

Deno.test("HttpSession closes the connection inside a response that it cannot complete", pure, async () => {
  const error = new Error("The disk is gone");
  const { answer, ends, errors } = await serveBroken(() => {
    function* pieces() {
      for (let i = 0; i < 5; i++) yield new Uint8Array(64 * KIB).fill(120);
      throw error;
    }
    return { status: 200, body: { pieces: pieces() } };
  });
  assert(!answer.includes("0\r\n\r\n"), "The response must not look complete");
  assertEquals([ends, errors], [[{ type: "handler-failed", error }], [error]]);
});

Deno.test(
  "HttpSession reports an error even if the connection has ended for another reason",
  pure,
  async () => {
    const error = new Error("The disk is gone");
    const why = { type: "local", why: "gone" } as const;
    const { answer, ends, errors } = await serveBroken((connection) => {
      connection.abort(why);
      throw error;
    });
    assertEquals([answer, ends, errors], ["", [why], [error]]);
  },
);
