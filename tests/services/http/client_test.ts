import { assert, assertEquals, assertRejects, fail } from "@std/assert";
import { HttpResponseError, requestHttp, startHttp } from "../../../services/mod.ts";
import { bytesCodec, ConnectError, listen, type Network } from "../../../socket/mod.ts";
import { MemoryNetwork, VirtualClock } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces = await Array.fromAsync(body);
  return pieces.map((bytes) => new TextDecoder().decode(bytes)).join("");
}

Deno.test(
  "requestHttp() sends requests with and without a body",
  pure,
  async () => {
    const network = new MemoryNetwork();
    await using server = startHttp({ network });
    const url = `http://127.0.0.1:${server.port}/items`;
    const headers = { "Content-Type": "application/json" };
    await using posted = await requestHttp(url, { method: "POST", headers, body: '"é"', network });
    assertEquals([posted.status, await textOf(posted.body)], [201, '{"id":1,"value":"é"}\n']);
    await using got = await requestHttp(`${url}/1?x=y`, { network });
    assertEquals([got.status, await textOf(got.body)], [200, '{"id":1,"value":"é"}\n']);
    await using head = await requestHttp(url, { method: "HEAD", network });
    assertEquals([head.status, await textOf(head.body)], [200, ""]);
  },
);

Deno.test("requestHttp() abandons an endless body when the response is disposed of", pure, async () => {
  const network = new MemoryNetwork();
  await using server = listen({ codec: bytesCodec, network });
  const served = server.serve(async (peer) => {
    await peer[Symbol.asyncIterator]().next();
    peer.send(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    while (peer.open) {
      peer.send(new Uint8Array(65_536));
      await peer.flushed().catch(() => {});
    }
  });
  {
    await using response = await requestHttp(`http://127.0.0.1:${server.port}/`, { network, timeout: 0 });
    assertEquals((await response.body.next()).done, false);
  }
  await server.until(({ connections }) => connections === 0);
  await server.close();
  await served;
});

Deno.test("requestHttp() throws when the server is silent, or the signal aborts", pure, async () => {
  const network = new MemoryNetwork();
  await using server = listen({ codec: bytesCodec, network });
  const served = server.serve(async (peer) => {
    // The second client gets the start of a response.
    if (peer.id === 2) peer.send(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    await peer.closed;
  });
  const url = `http://127.0.0.1:${server.port}/`;
  await assertRejects(
    () => requestHttp(url, { network, timeout: 20 }),
    HttpResponseError,
    "Connection closed before the response was complete (timeout: idle for 20 ms)",
  );
  const controller = new AbortController();
  await using response = await requestHttp(url, { network, signal: controller.signal });
  const read = response.body.next();
  controller.abort(new Error("No longer wanted"));
  await assertRejects(() => read, Error, "No longer wanted");
  await server.close();
  await served;
});

for (
  const [url, port] of [["http://[::1]/", 80], ["https://[::1]/", 443], ["https://[::1]:80/", 80]] as const
) {
  Deno.test(`requestHttp() connects to port ${port} for ${url}`, pure, async () => {
    const dialed: unknown[] = [];
    const network: Network = {
      listen: () => fail("A client must not listen"),
      connect({ hostname, port }) {
        dialed.push([hostname, port]);
        return Promise.reject(new Deno.errors.ConnectionRefused("No listener"));
      },
    };
    await assertRejects(() => requestHttp(url, { network }), ConnectError, "refused");
    assertEquals(dialed, [["::1", port]]);
  });
}

for (
  const [url, method, message] of [
    ["nothing", "GET", 'Cannot request "nothing": expected a URL'],
    ["ftp://127.0.0.1/", "GET", "Cannot request ftp://127.0.0.1/: expected http: or https:, got ftp:"],
    ["http://127.0.0.1/", "G T", 'Cannot use method "G T": expected a token'],
  ] as const
) {
  Deno.test(`requestHttp() throws a TypeError for ${method} ${url}`, pure, async () => {
    await assertRejects(() => requestHttp(url, { method, network: new MemoryNetwork() }), TypeError, message);
  });
}

/** Starts a server that reads the start of a request, sends this text, and closes. */
function startCanned(network: Network, text: string): AsyncDisposable & { readonly port: number } {
  const server = listen({ codec: bytesCodec, network });
  const served = server.serve(async (peer) => {
    await peer[Symbol.asyncIterator]().next();
    peer.send(new TextEncoder().encode(text));
  });
  return {
    port: server.port,
    async [Symbol.asyncDispose]() {
      await server.close();
      await served;
    },
  };
}

Deno.test("requestHttp() throws when the server sends interim responses without end", pure, async () => {
  const network = new MemoryNetwork();
  await using server = startCanned(network, "HTTP/1.1 102 Processing\r\n\r\n".repeat(10_000));
  await assertRejects(
    () => requestHttp(`http://127.0.0.1:${server.port}/`, { network }),
    HttpResponseError,
    "Server sent more than 100 interim responses (1xx)",
  );
});

Deno.test("requestHttp() reads a folded header line as one with a space", pure, async () => {
  const network = new MemoryNetwork();
  const text = "HTTP/1.1 200 OK\r\nX-List: one,\r\n\t two\r\nContent-Length: 2\r\n\r\nhi";
  await using server = startCanned(network, text);
  await using response = await requestHttp(`http://127.0.0.1:${server.port}/`, { network });
  assertEquals([response.headers.get("x-list"), await textOf(response.body)], ["one, two", "hi"]);
});

Deno.test("requestHttp() takes as long for a body as the server needs to read it", pure, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const size = 2_000_000;
  const server = listen({ codec: bytesCodec, network, clock });
  const served = server.serve(async (peer) => {
    let bytes = 0;
    for await (const piece of peer) {
      bytes += piece.length;
      await new Promise<void>((resolve) => void clock.after(500, resolve));
      if (bytes > size) break;
    }
    peer.send(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  });
  const request = requestHttp(`http://127.0.0.1:${server.port}/`, {
    method: "PUT",
    body: new Uint8Array(size),
    network,
    clock,
    timeout: 5000,
  });
  const response = await clock.runUntil(request);
  assertEquals([response.status, await clock.runUntil(textOf(response.body))], [200, ""]);
  assert(clock.now() > 3 * 5000, `It took ${clock.now()} ms`);
  await clock.runUntil(Promise.all([server.close(), served]));
  assertEquals(clock.timers, 0);
});

Deno.test("requestHttp() throws when the server stops reading the body", pure, async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const server = listen({ codec: bytesCodec, network, clock });
  const served = server.serve((peer) => peer.closed.then(() => {}));
  const request = requestHttp(`http://127.0.0.1:${server.port}/`, {
    method: "PUT",
    body: new Uint8Array(2_000_000),
    network,
    clock,
    timeout: 1000,
  });
  await assertRejects(
    () => clock.runUntil(request),
    HttpResponseError,
    "Connection closed before the response was complete (timeout: write for 1000 ms)",
  );
  assertEquals(clock.now(), 1000);
  await clock.runUntil(Promise.all([server.close(), served]));
  assertEquals(clock.timers, 0);
});
