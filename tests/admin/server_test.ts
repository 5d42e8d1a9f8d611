import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../socket/connect.ts";
import { askAdmin } from "../_util/admin/admin_client.ts";
import { startWatchedRelay } from "../_util/admin/admin_target.ts";
import { MemoryBusHub } from "../../relay/cluster/memory_bus.ts";
import { systemClock } from "../../socket/tcp.ts";

Deno.test("startAdmin() answers health checks while a relay serves, is suspended, and drains", async () => {
  await using watched = await startWatchedRelay({ relay: { timeouts: { drain: 5000 } } });
  const { admin: { address }, relay } = watched;
  const ask = async (path: string, method = "GET") => {
    const { status, text } = await askAdmin(address, path, { method });
    return [status, text.trim()];
  };
  assertEquals(await ask("/livez"), [200, "ok"]);
  assertEquals(await ask("/readyz"), [200, "ok"]);

  assertEquals(await ask("/suspend", "POST"), [200, '{"suspended":true}']);
  assertEquals(relay.stats().suspended, true);
  assertEquals(await ask("/readyz"), [503, "suspended"]);
  assertEquals(await ask("/resume", "POST"), [200, '{"suspended":false}']);
  assertEquals(await ask("/readyz"), [200, "ok"]);

  watched.monitor.exhausted(true);
  assertEquals(await ask("/readyz"), [503, "out of descriptors"]);
  watched.monitor.exhausted(false);

  const client = await connect({ port: relay.port });
  await relay.until(({ connections }) => connections === 1);
  const waiting = askAdmin(address, "/drain?wait=1", { method: "POST" });
  await relay.until(({ connections }) => connections === 1);
  assertEquals(await ask("/drain", "POST"), [202, '{"draining":true}']);
  assertEquals(await ask("/readyz"), [503, "draining"]);
  assertEquals(await ask("/livez"), [200, "ok"]);
  const health = JSON.parse((await askAdmin(address, "/healthz")).text);
  assertEquals(health, {
    status: "ok",
    kind: "server",
    name: "relay",
    version: "1.2.3",
    ready: false,
    reasons: ["draining"],
  });
  await client.close();
  const drained = JSON.parse((await waiting).text);
  assertEquals([drained.drained, drained.connections, drained.pending], [true, 0, 0]);
});

Deno.test("startAdmin() answers /state with the stats of the service", async () => {
  await using watched = await startWatchedRelay();
  const { admin: { address }, relay } = watched;
  const state = JSON.parse((await askAdmin(address, "/state")).text);
  assertEquals(state, JSON.parse(JSON.stringify({ event: "state", ...relay.stats() })));
});

Deno.test("startAdmin() lists connections and closes one by its id", async () => {
  await using watched = await startWatchedRelay({ relay: { random: () => 0 } });
  const { admin: { address }, relay } = watched;
  const list = async (query = "") => JSON.parse((await askAdmin(address, `/connections${query}`)).text);
  await using first = await connect({ port: relay.port });
  await using second = await connect({ port: relay.port });
  await relay.until(({ active }) => active === 2);
  first.send("message hello");
  const { pending, messages } = await relay.until(({ messages }) => messages === 1);
  assertEquals([pending, messages], [1, 1]);

  const open = await list("?sort=bytes_in");
  assertEquals([open.total, open.matched, open.connections.length], [2, 2, 2]);
  const [busy, quiet] = open.connections;
  assertEquals([busy.bytesIn, busy.linesIn, busy.pending], [14, 1, 1]);
  assertEquals([quiet.bytesIn, quiet.pending], [0, 0]);
  assertEquals(busy.address, `127.0.0.1:${first.local.port}`);
  assertEquals(Math.abs(busy.since - Date.now()) < 60_000, true);
  assertEquals((await list(`?id=${quiet.id}`)).connections.length, 1);
  assertEquals((await list(`?address=:${second.local.port}`)).connections[0].id, quiet.id);

  const closed = await askAdmin(address, `/connections/${quiet.id}/close`, { method: "POST" });
  assertEquals([closed.status, JSON.parse(closed.text)], [200, { closed: quiet.id, reason: "local" }]);
  assertEquals(await Array.fromAsync(second), ["error closed by the operator"]);
  assertEquals((await list()).total, 1);
  const ended = await list("?state=closed");
  const [{ id, reason, detail }] = ended.connections;
  assertEquals([ended.total, id, reason, detail], [1, quiet.id, "local", "local: closed by the operator"]);
  assertEquals((await askAdmin(address, `/connections/${quiet.id}/close`, { method: "POST" })).status, 404);
});

Deno.test("startAdmin() refuses unknown paths, parameters, and methods with a reason", async () => {
  await using watched = await startWatchedRelay();
  const { admin: { address }, errors } = watched;
  const refused = async (path: string, method = "GET") => {
    const { status, text } = await askAdmin(address, path, { method });
    return [status, JSON.parse(text).error];
  };
  assertEquals(await refused("/nothing"), [404, "No such path"]);
  assertEquals(await refused("/constructor", "POST"), [405, "Cannot use POST here: expected GET, HEAD"]);
  assertEquals(await refused("/drain"), [405, "Cannot use GET here: expected POST"]);
  assertEquals(await refused("/connections/1/close"), [405, "Cannot use GET here: expected POST"]);
  assertEquals(await refused("/connections?limit=0"), [
    400,
    'Cannot use limit "0": expected an integer from 1 to 10000',
  ]);
  for (const id of ["007", "+7", "7.0", "1e1", "", "x"]) {
    assertEquals(await refused(`/connections/${id}/close`, "POST"), [
      400,
      `Cannot use id "${id}": expected an integer from 0 to 9007199254740991`,
    ]);
  }
  assertEquals((await refused("/connections/9007199254740991/close", "POST"))[0], 404);
  for (const query of ["wait=true", "wait=1&wait=1", "within=5s"]) {
    assertEquals((await refused(`/drain?${query}`, "POST"))[0], 400, query);
  }
  assertEquals(await refused("/suspend?id=7", "POST"), [400, 'Cannot use parameter "id": expected none']);
  assertEquals(watched.relay.stats().suspended, false);
  assertEquals((await refused("/connections?sort=color"))[0], 400);
  assertEquals((await refused("/connections?sorted=id"))[0], 400);
  assertEquals(errors, []);
  assertEquals((await askAdmin(address, "/livez", { method: "HEAD" })).text, "");
});

Deno.test("startAdmin() accepts targets in absolute form, and escapes of unreserved characters", async () => {
  await using watched = await startWatchedRelay();
  const { admin: { address } } = watched;
  const status = async (target: string, method = "GET", headers = {}) =>
    (await askAdmin(address, target, { method, headers })).status;
  assertEquals(await status("/live%7a"), 200);
  assertEquals(await status("/%2F%6c%69vez"), 404);
  assertEquals(await status("/s%75spend"), 405);
  assertEquals(await status("/s%75spend", "POST"), 200);
  assertEquals(watched.relay.stats().suspended, true);
  assertEquals(await status(`http://127.0.0.1:${address.port}/livez`), 200);
  assertEquals(await status("http://localhost/live%7a", "GET", { Host: "evil.example" }), 200);
  assertEquals(await status("http://evil.example/livez"), 421);
  assertEquals(await status("http:///livez"), 400);
  assertEquals(await status("https://localhost/livez"), 400);
});

Deno.test("startAdmin() serves on a Unix socket, whatever the Host", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using watched = await startWatchedRelay({ address: { hostname: `unix:${folder}/admin`, port: 0 } });
    const answer = await askAdmin(watched.admin.address, "/suspend", {
      method: "POST",
      headers: { Host: "x" },
    });
    assertEquals([answer.status, watched.relay.stats().suspended], [200, true]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("startAdmin() streams samples until the server closes", async () => {
  await using watched = await startWatchedRelay();
  const { admin, relay } = watched;
  const streamed = askAdmin(admin.address, "/events");
  let sampled: object[] = [];
  const samples = Promise.withResolvers<void>();
  const { live } = watched.target;
  using _ = live.subscribe((sample) => {
    sampled = [...sampled, sample];
    if (sampled.length === 2) samples.resolve();
  });
  await using client = await connect({ port: relay.port });
  client.send("message x");
  await relay.until(({ messages }) => messages === 1);
  await samples.promise;
  await admin.close();
  const { text, headers } = await streamed;
  assertEquals(headers["content-type"], "text/event-stream");
  const events = text.trim().split("\n\n").map((event) => event.split("\n"));
  assertEquals(events[0]?.[0], "event: history");
  assertEquals(events[1]?.[0], "event: sample");
  const last = JSON.parse(events.at(-1)![1]!.slice("data: ".length));
  assertEquals([last.connections, last.messages, last.pending, last.bytesIn], [1, 1, 1, 10]);
});

Deno.test("startAdmin() closes slow clients, refuses too many, and goes on serving", async () => {
  await using watched = await startWatchedRelay({
    limits: { maxConnections: 4, requestTimeout: 200, stallTimeout: 200 },
  });
  const { admin: { address }, relay } = watched;
  const slow: Deno.Conn[] = [];
  for (let i = 0; i < 40; i++) {
    const conn = await Deno.connect({ hostname: address.hostname, port: address.port });
    await conn.write(new TextEncoder().encode("GET /livez HTTP/1.1\r\nHo")).catch(() => {});
    slow.push(conn);
  }
  // A client of the service is not affected.
  await using client = await connect({ port: relay.port });
  client.send("message x");
  for await (const line of client) {
    assertEquals(line, "message x");
    break;
  }
  // Each is closed: with a status at the timeout, or without one because there were too many.
  const answers = await Promise.all(slow.map(readAll));
  assert(answers.filter((text) => text !== "").length >= 4);
  for (const text of answers) if (text !== "") assertStringIncludes(text, "408");
  assertEquals((await askAdmin(address, "/livez")).status, 200);
});

async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(1024);
  try {
    for (let count; (count = await conn.read(buffer)) !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    conn.close();
  }
  return text;
}

Deno.test("startAdmin() answers many requests on one connection, and closes it when no further one comes", async () => {
  await using watched = await startWatchedRelay({ limits: { requestTimeout: 500 } });
  const { address } = watched.admin;
  using conn = await Deno.connect({ hostname: address.hostname, port: address.port });
  const bytes = new Uint8Array(4096);
  for (let request = 0; request < 3; request++) {
    await conn.write(new TextEncoder().encode("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let text = "";
    while (!text.endsWith("ok\n")) {
      const count = await conn.read(bytes);
      assert(count !== null, `closed after ${request} responses: ${text}`);
      text += new TextDecoder().decode(bytes.subarray(0, count));
    }
    assertStringIncludes(text, "HTTP/1.1 200 OK");
  }
  assertEquals(await conn.read(bytes), null);
});

Deno.test("GET /readyz answers 503 while the cluster of a relay cannot be reached", async () => {
  await using server = await startWatchedRelay();
  const bus = new MemoryBusHub({ clock: systemClock }).join("a");
  await server.relay.join(bus);
  const ready = async () => {
    const { status, text } = await askAdmin(server.admin.address, "/readyz");
    return [status, text.trim()];
  };
  assertEquals(await ready(), [200, "ok"]);
  bus.cut();
  assertEquals(await ready(), [503, "disconnected from the cluster"]);
  bus.restore();
  assertEquals(await ready(), [200, "ok"]);
});
