import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { startHttp } from "../../../services/mod.ts";
import { bytesCodec, connect, type Network } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { exchange, talk } from "../../_util/network/exchange.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const CLOSE = "Connection: close\r\n\r\n";

/** Returns the status of each response. */
function statuses(answer: string): number[] {
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}

Deno.test("startHttp() serves a page and the time, and responds with 404 to other paths", async () => {
  await using server = startHttp();
  const url = `http://127.0.0.1:${server.port}`;
  const page = await fetch(url);
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertStringIncludes(await page.text(), "<h1>It works</h1>");
  const time = await (await fetch(`${url}/time`)).json();
  assert(Math.abs(Date.parse(time.time) - Date.now()) < 60_000);
  const missing = await fetch(`${url}/nothing`);
  assertEquals([missing.status, await missing.text()], [404, "No such resource: /nothing\n"]);
});

Deno.test("startHttp() creates, lists, reads, replaces, and deletes items", async () => {
  await using server = startHttp({ limits: { maxItems: 3 } });
  const items = `http://127.0.0.1:${server.port}/items`;
  const send = async (method: string, path: string, body?: string) => {
    const response = await fetch(items + path, { method, headers: JSON_TYPE, ...(body ? { body } : {}) });
    return {
      status: response.status,
      location: response.headers.get("location"),
      text: await response.text(),
    };
  };
  assertEquals(await send("POST", "", '{"a":1}'), {
    status: 201,
    location: "/items/1",
    text: '{"id":1,"value":{"a":1}}\n',
  });
  assertEquals((await send("PUT", "/7", "2")).status, 201);
  assertEquals(await send("PUT", "/7", '"é"'), {
    status: 200,
    location: null,
    text: '{"id":7,"value":"é"}\n',
  });
  assertEquals((await send("POST", "", "3")).location, "/items/8");
  assertEquals((await send("POST", "", "4")).status, 507);
  assertEquals(
    (await send("GET", "")).text,
    '[{"id":1,"value":{"a":1}},{"id":7,"value":"é"},{"id":8,"value":3}]\n',
  );
  assertEquals(await send("DELETE", "/7"), { status: 204, location: null, text: "" });
  assertEquals((await send("DELETE", "/7")).status, 404);
  assertEquals((await send("GET", "/7")).status, 404);
  assertEquals((await send("POST", "", "{")).status, 400);
  assertEquals(server.stats().items, 2);
});

Deno.test("startHttp() responds to HEAD as to GET, without the body", async () => {
  await using server = startHttp();
  const answer = await exchange(
    server.port,
    `HEAD /items HTTP/1.1\r\nHost: a\r\n\r\nGET /items HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
  );
  const [head, get] = answer.split(/(?=HTTP\/1\.1)/);
  assertMatch(head!, /content-length: 3\r\n(.*\r\n)*\r\n$/);
  assert(get!.endsWith("\r\n\r\n[]\n"));
});

Deno.test("startHttp() responds to pipelined requests in order, however they are cut", async () => {
  await using server = startHttp();
  const put = (id: number, body: string) =>
    `PUT /items/${id} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${body}`;
  const requests = put(1, "Content-Length: 1\r\n\r\n1") +
    put(2, "Transfer-Encoding: chunked\r\n\r\n1\r\n2\r\n1\r\n2\r\n0\r\n\r\n") +
    `GET /items/2 HTTP/1.1\r\nHost: a\r\n${CLOSE}`;
  const whole = await exchange(server.port, requests);
  assertEquals(statuses(whole), [201, 201, 200]);
  assertStringIncludes(whole, '{"id":2,"value":22}');
  const pieces = requests.match(/[^]{1,7}/g) ?? [];
  assertEquals(statuses(await exchange(server.port, ...pieces)), [200, 200, 200]);
});

Deno.test("startHttp() stops reading from a client that does not read its responses", async () => {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock }) };
  const server = startHttp({ ...seam, limits: { writeBuffer: 128 * 1024 } });
  const client = await clock.runUntil(
    connect({ ...seam, port: server.port, codec: bytesCodec, limits: { writeBuffer: 2 ** 30 } }),
  );
  const count = 10_000;
  client.send(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count)));
  await clock.advance(1000);
  const answered = server.stats().answers[200]!;
  assert(answered < count / 2, `${answered} responses`);
  let bytes = 0;
  const finished = client.closeWrite();
  for (const pieces = client[Symbol.asyncIterator]();;) {
    const next = await clock.runUntil(pieces.next());
    if (next.done) break;
    bytes += next.value.length;
  }
  await clock.runUntil(Promise.all([finished, client.close(), server.close()]));
  assertEquals(server.stats().answers, { 200: count });
  assertEquals(bytes % count, 0);
});

Deno.test("startHttp() responds to each error with its status, and closes if it must", async () => {
  await using server = startHttp({ limits: { maxRequestLine: 100, maxHeaders: 200, maxBody: 10 } });
  const host = "Host: a\r\n";
  const after = `GET / HTTP/1.1\r\n${host}${CLOSE}`;
  const cases: [string, number[]][] = [
    [`DELETE / HTTP/1.1\r\n${host}\r\n`, [405, 200]],
    [`POST /items HTTP/1.1\r\n${host}\r\n`, [411, 200]],
    [`POST /items HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\n1`, [415, 200]],
    [`PATCH / HTTP/1.1\r\n${host}\r\n`, [501, 200]],
    [`OPTIONS * HTTP/1.1\r\n${host}\r\n`, [204, 200]],
    [`POST /items HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [
      400,
    ]],
    [`POST /items HTTP/1.1\r\n${host}Content-Length: 11\r\n\r\n`, [413]],
    [`POST /items HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nb\r\n`, [413]],
    [`POST /items HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`, [501]],
    [`GET /${"a".repeat(100)} HTTP/1.1\r\n${host}\r\n`, [414]],
    [`GET / HTTP/1.1\r\n${host}X: ${"a".repeat(200)}\r\n\r\n`, [431]],
    [`GET / HTTP/3.0\r\n${host}\r\n`, [505]],
    ["GET / HTTP/1.1\r\n\r\n", [400]],
    ["GET / HTTP/1.1\nHost: a\n\n", [400]],
    ["\x16\x03\x01\x02\x00\x01\x00\n", [400]],
  ];
  for (const [request, expected] of cases) {
    assertEquals(statuses(await exchange(server.port, request + after)), expected, request.slice(0, 60));
  }
  assertMatch(
    await exchange(server.port, `PUT / HTTP/1.1\r\n${host}${CLOSE}`),
    /\r\nallow: GET, HEAD, OPTIONS\r\n(.*\r\n)*content-type: text\/plain; charset=utf-8\r\n/,
  );
});

Deno.test("startHttp() sends 100 Continue unless it refuses the request", async () => {
  await using server = startHttp({ limits: { maxBody: 10 } });
  const head = (fields: string) => `POST /items HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${fields}\r\n`;
  await using client = await talk(server.port);
  await client.send(head("Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n"));
  await client.upTo("HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("12");
  const answer = await client.rest();
  assertEquals(statuses(answer), [201]);
  assertStringIncludes(answer, '{"id":1,"value":12}');

  assertEquals(statuses(await exchange(server.port, head("Content-Length: 3\r\n"))), [415]);
  assertEquals(statuses(await exchange(server.port, head("Content-Length: 11\r\n"))), [413]);
});

Deno.test("startHttp() responds with 408 to a request that takes too long", async () => {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock }) };
  const server = startHttp({ ...seam, timeouts: { request: 10_000, keepAlive: 60_000 } });
  const client = await clock.runUntil(talk(server.port, seam));
  await clock.advance(50_000);
  // The time starts at the first byte, and no other byte restarts it.
  for (const byte of "GET / HTT") {
    client.connection.send(new TextEncoder().encode(byte));
    await clock.advance(1000);
  }
  assertEquals(server.stats().answers, {});
  await clock.advance(1000);
  assertEquals(server.stats().answers, { 408: 1 });
  assertEquals(statuses(await clock.runUntil(client.rest())), [408]);
  await clock.runUntil(Promise.all([client.connection.close(), server.close()]));
  assertEquals(clock.timers, 0);
});

Deno.test("startHttp() closes a connection without a request, and sends nothing", async () => {
  const clock = new VirtualClock();
  const seam = { clock, network: new MemoryNetwork({ clock }) };
  const server = startHttp({ ...seam, timeouts: { keepAlive: 60_000 } });
  const silent = await clock.runUntil(talk(server.port, seam));
  const used = await clock.runUntil(talk(server.port, seam));
  await clock.advance(30_000);
  await clock.runUntil(used.send("GET /time HTTP/1.1\r\nHost: a\r\n\r\n"));
  assertEquals(await clock.runUntil(silent.rest()), "");
  assertEquals(clock.now(), 60_000);
  assertEquals(statuses(await clock.runUntil(used.rest())), [200]);
  assertEquals(clock.now(), 90_000);
  await clock.runUntil(Promise.all([silent.connection.close(), used.connection.close(), server.close()]));
});

Deno.test("startHttp() closes idle connections and responds to a request in progress when it drains", async () => {
  await using server = startHttp();
  await using idle = await talk(server.port);
  await using busy = await talk(server.port);
  const head = "POST /items HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
  await busy.send(`${head}Expect: 100-continue\r\n\r\n1`);
  await busy.upTo("100 Continue\r\n\r\n");
  await server.until((stats) => stats.connections === 2);
  const drained = server.shutdown();
  assertEquals(await idle.rest(), "");
  await busy.send("1");
  const answer = await busy.rest();
  assertEquals(statuses(answer), [201]);
  assertStringIncludes(answer, "connection: close");
  await Promise.all([idle, busy].map(({ connection }) => connection.close()));
  await drained;
});

Deno.test("startHttp() ignores requests after its last response", async () => {
  await using server = startHttp();
  const post = "POST /items HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n";
  for (const last of [`GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}`, "GET / HTTP/1.1\r\nX\r\n\r\n"]) {
    assertEquals(statuses(await exchange(server.port, `${last}${post}\r\n1`)).length, 1);
  }
  assertEquals(server.stats().items, 0);
});

Deno.test("startHttp() counts responses by status", async () => {
  await using server = startHttp();
  await exchange(server.port, `GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n${CLOSE}`);
  await using half = await talk(server.port);
  await half.send("GET");
  await half.connection.closeWrite();
  assertStringIncludes(await half.rest(), "Connection ended inside a request");
  assertEquals(server.stats().answers, { 200: 1, 400: 1, 404: 1 });
});

Deno.test("startHttp() returns numbers exactly as they were sent", async () => {
  await using server = startHttp();
  const items = `http://127.0.0.1:${server.port}/items`;
  const body = '{"big": 12345678901234567890, "huge": 1e999, "exact": 1.10}';
  const posted = await fetch(items, { method: "POST", headers: JSON_TYPE, body });
  assertEquals(await posted.text(), `{"id":1,"value":${body}}\n`);
  assertEquals(await (await fetch(`${items}/1`)).text(), `{"id":1,"value":${body}}\n`);
  assertEquals(await (await fetch(items)).text(), `[{"id":1,"value":${body}}]\n`);
});

Deno.test("startHttp() sends a Location that works when the largest id is taken", async () => {
  await using server = startHttp();
  const origin = `http://127.0.0.1:${server.port}`;
  const send = (method: string, path: string) =>
    fetch(origin + path, { method, headers: JSON_TYPE, body: "1" });
  assertEquals((await (await send("PUT", "/items/999999999999999")).json()).id, 999_999_999_999_999);
  for (let i = 0; i < 3; i++) {
    const posted = await send("POST", "/items");
    assertEquals(posted.status, 201);
    const location = posted.headers.get("location")!;
    const got = await fetch(origin + location);
    assertEquals([got.status, await got.json()], [200, await posted.json()], location);
    assertEquals((await fetch(origin + location, { method: "DELETE" })).status, 204);
  }
  assertEquals(server.stats().items, 1);
});

Deno.test("startHttp() serves each item at one path, however it is escaped", async () => {
  await using server = startHttp();
  const put = (path: string) =>
    `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1`;
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n`;
  const cases: readonly (readonly [request: string, status: number])[] = [
    [put("/items/7"), 201],
    [put("/item%73/%37"), 200],
    [put("/items/07"), 404],
    [put("/items/0"), 201],
    [put("/items/00"), 404],
    [put("/items/1000000000000000"), 404],
    [put("/items%2F7"), 404],
    [get("/%74ime") + CLOSE, 200],
    [get("/%74%49me") + CLOSE, 404],
    [get("/%2574ime") + CLOSE, 404],
    [get("/.%2F%74ime") + CLOSE, 404],
    [get("/x/../time") + CLOSE, 404],
    [get("/%2e%2e/time") + CLOSE, 404],
    [get("//time") + CLOSE, 404],
  ];
  const requests = cases.map(([request]) => request.replace(CLOSE, "\r\n"));
  requests.push(get("/") + CLOSE);
  assertEquals(statuses(await exchange(server.port, requests.join(""))), [
    ...cases.map(([, status]) => status),
    200,
  ]);
  assertEquals(server.stats().items, 2);
});

Deno.test("startHttp() refuses a target whose scheme is not that of the connection", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryNetwork({ clock });
  const ofTls: Network = {
    connect: (options) => memory.connect(options),
    listen(options) {
      const listener = memory.listen(options);
      const accept = listener.accept.bind(listener);
      return Object.assign(listener, {
        accept: async () => Object.assign(await accept(), { ready: Promise.resolve() }),
      });
    },
  };
  for (const [network, served, refused] of [[memory, "http", "https"], [ofTls, "https", "http"]] as const) {
    const server = startHttp({ clock, network });
    const request = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n`;
    const client = await clock.runUntil(talk(server.port, { clock, network: memory }));
    await clock.runUntil(client.send(
      `${request(`${refused}://a/time`)}\r\n${request(`${served}://a/time`)}\r\n${request("/time")}${CLOSE}`,
    ));
    const answer = await clock.runUntil(client.rest());
    assertEquals(statuses(answer), [421, 200, 200]);
    assertStringIncludes(answer, `Scheme is ${refused}, but this connection is for ${served}\n`);
    await clock.runUntil(Promise.all([client.connection.close(), server.close()]));
  }
});

Deno.test("startHttp() refuses items for which the store has no room", async () => {
  await using server = startHttp({ limits: { maxStore: 10 } });
  const post = (body: string, fields = "") =>
    `POST /items HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${fields}` +
    `Content-Length: ${body.length}\r\n`;
  const expect = "Expect: 100-continue\r\n";
  assertEquals(
    statuses(await exchange(server.port, `${post('"3456"')}\r\n"3456"${post('"3456"')}${CLOSE}"3456"`)),
    [201, 507],
  );
  // Refused before the body is sent.
  assertEquals(statuses(await exchange(server.port, `${post('"3456"', expect)}\r\n`)), [507]);
  const chunked =
    "POST /items HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
  const answer = await exchange(server.port, `${chunked}${CLOSE}5\r\n12345\r\n0\r\n\r\n`);
  assertStringIncludes(answer, "The store is full: 11 bytes with this item (limit 10)\n");
  const { items, maxItems, storedBytes, maxStore } = server.stats();
  assertEquals({ items, maxItems, storedBytes, maxStore }, {
    items: 1,
    maxItems: 10_000,
    storedBytes: 6,
    maxStore: 10,
  });
});

Deno.test("startHttp() throws when maxBody is over the largest item", { permissions: "none" }, () => {
  assertThrows(
    () => startHttp({ limits: { maxBody: 2 ** 28 + 1 } }),
    RangeError,
    "Cannot use maxBody 268435457: expected up to 268435456 bytes",
  );
});
