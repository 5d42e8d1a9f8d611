import { assertEquals, assertRejects, assertThrows, fail } from "@std/assert";
import { HttpResponseError, requestHttp, startHttp } from "../../../services/mod.ts";
import { ResponseParser } from "../../../http/response_parser.ts";
import { bytesCodec, ConnectError, listen, type Network } from "../../../socket/mod.ts";
import { MemoryNetwork } from "../../../testing/mod.ts";
import { pure } from "../../_util/permissions.ts";

/** What a parser makes of `text` in pieces of `size` bytes: status, headers, body. */
function parse(text: string, options: { method?: string; size?: number } = {}): string {
  const { method = "GET", size = text.length } = options;
  const parser = new ResponseParser(method);
  const bytes = new TextEncoder().encode(text);
  const events = [];
  for (let at = 0; at < bytes.length && !parser.done; at += Math.max(1, size)) {
    events.push(...parser.push(bytes.subarray(at, at + size)));
  }
  if (!parser.done) events.push(...parser.end());
  let seen = "";
  for (const event of events) {
    if (event.type === "head") {
      const { status, reason, headers } = event.head;
      seen += `${status} ${reason} ${JSON.stringify(Object.fromEntries(headers))} `;
    } else if (event.type === "data") seen += new TextDecoder().decode(event.data);
    else seen += "$";
  }
  return seen;
}

const GOOD: readonly (readonly [name: string, text: string, seen: string, method?: string])[] = [
  [
    "a sized body",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    '200 OK {"content-length":"5"} hello$',
  ],
  ["an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", '200 OK {"content-length":"0"} $'],
  [
    "a length said twice alike",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    '200 OK {"content-length":"2, 2"} hi$',
  ],
  ["a body to the end", "HTTP/1.0 200 OK\r\n\r\nhello", "200 OK {} hello$"],
  ["no reason", "HTTP/1.1 204 \r\n\r\n", "204  {} $"],
  [
    "a 304, which has no body",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    '304 Not Modified {"content-length":"5"} $',
  ],
  ["no reason, nor its space", "HTTP/1.1 304\r\n\r\n", "304  {} $"],
  [
    "chunks with a trailer",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: v\r\n\r\n",
    '200 OK {"transfer-encoding":"chunked"} hello$',
  ],
  [
    "an interim response first",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    '200 OK {"content-length":"1"} x$',
  ],
  [
    "the answer to HEAD",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    '200 OK {"content-length":"5"} $',
    "HEAD",
  ],
];

for (const [name, text, seen, method] of GOOD) {
  Deno.test(`ResponseParser reads ${name}, whatever the pieces`, pure, () => {
    for (const size of [1, 2, 3, 7, text.length]) {
      assertEquals(parse(text, { size, ...(method ? { method } : {}) }), seen);
    }
  });
}

const BAD: readonly (readonly [text: string, message: string])[] = [
  ["hello\r\n", "First line is not that of an HTTP/1 response"],
  ["HTTP/2 200 OK\r\n", "First line is not that of an HTTP/1 response"],
  ["HTTP/1.1 200 \x1b[2J\r\n", "First line is not that of an HTTP/1 response"],
  ["HTTP/1.1 200 OK\n\n", "Line ends with LF alone"],
  ["HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "Header line is folded"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both given"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "Content-Length is not one number"],
  ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length is not one number"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "Chunk size is not"],
  ["HTTP/1.1 200 OK\r\n", "Response ended before its body"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "Response ended inside its body"],
  [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}\r\n\r\n`, "Head is over 65536 bytes"],
];

for (const [text, message] of BAD) {
  Deno.test(`ResponseParser refuses ${JSON.stringify(text.slice(0, 60))}`, pure, () => {
    for (const size of [1, 5, text.length]) {
      assertThrows(() => parse(text, { size }), HttpResponseError, message);
    }
  });
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces = await Array.fromAsync(body);
  return pieces.map((bytes) => new TextDecoder().decode(bytes)).join("");
}

Deno.test(
  "requestHttp() sends a request that a server understands, body and all",
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

Deno.test("requestHttp() leaves a body that nobody reads to the end", pure, async () => {
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

Deno.test("requestHttp() gives up on a silent server, and on a signal", pure, async () => {
  const network = new MemoryNetwork();
  await using server = listen({ codec: bytesCodec, network });
  const served = server.serve(async (peer) => {
    // The second one is sent the beginning of an answer.
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
  Deno.test(`requestHttp() dials port ${port} for ${url}`, pure, async () => {
    const dialed: unknown[] = [];
    const network: Network = {
      listen: () => fail("Nobody listens here"),
      connect({ hostname, port }) {
        dialed.push([hostname, port]);
        return Promise.reject(new Deno.errors.ConnectionRefused("Nobody there"));
      },
    };
    await assertRejects(() => requestHttp(url, { network }), ConnectError, "refused");
    assertEquals(dialed, [["::1", port]]);
  });
}

for (
  const [url, method, message] of [
    ["nothing", "GET", 'Cannot request "nothing": it is no URL'],
    ["ftp://127.0.0.1/", "GET", "Cannot request ftp://127.0.0.1/: expected http: or https:, got ftp:"],
    ["http://127.0.0.1/", "G T", 'Cannot request by "G T": it is no method'],
  ] as const
) {
  Deno.test(`requestHttp() refuses ${method} ${url}`, pure, async () => {
    await assertRejects(() => requestHttp(url, { method, network: new MemoryNetwork() }), TypeError, message);
  });
}
