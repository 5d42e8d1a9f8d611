import { assert, assertEquals, assertThrows } from "@std/assert";
import { latin1 } from "../../http/grammar.ts";
import { encodeResponse, type Response, serializeResponse } from "../../http/response.ts";
import { pure } from "../_util/permissions.ts";

const date = new Date(Date.UTC(1994, 10, 6, 8, 49, 37));

function text(
  response: Parameters<typeof serializeResponse>[0],
  context: Partial<Parameters<typeof serializeResponse>[1]> = {},
): string {
  const request = { method: "GET", minorVersion: 1 } as const;
  return new TextDecoder().decode(
    serializeResponse(response, { request, keepAlive: true, date, ...context }),
  );
}

Deno.test("serializeResponse() returns status, headers, date, length in bytes, and body", pure, () => {
  assertEquals(
    text({ status: 200, headers: { "Content-Type": "text/plain" }, body: "é" }),
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\né",
  );
});

Deno.test("serializeResponse() returns the length but no body for HEAD", pure, () => {
  const head = text({ status: 200, body: "hello" }, { request: { method: "HEAD", minorVersion: 1 } });
  assertEquals(head, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
});

Deno.test("serializeResponse() returns neither body nor length for 204", pure, () => {
  assertEquals(
    text({ status: 204, body: "x" }),
    "HTTP/1.1 204 No Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
  );
});

Deno.test("serializeResponse() returns a Connection header when the version does not imply it", pure, () => {
  const connection = (context: Parameters<typeof text>[1]) =>
    /connection: (.*)\r\n/.exec(text({ status: 200 }, context))?.[1];
  assertEquals(connection({}), undefined);
  assertEquals(connection({ keepAlive: false }), "close");
  assertEquals(connection({ request: { method: "GET", minorVersion: 0 } }), "keep-alive");
  assertEquals(connection({ request: undefined, keepAlive: false }), "close");
});

Deno.test("serializeResponse() throws when a header contains a line break", pure, () => {
  assertThrows(() => text({ status: 200, headers: { "X": "a\r\nY: b" } }), TypeError);
});

const FRAME_SIZE = 64 * 1024;

/** Pieces of 1 KiB, and how many were read. */
function counted(count: number): { read: number; pieces: Iterable<Uint8Array> } {
  const counter = {
    read: 0,
    pieces: {
      *[Symbol.iterator]() {
        for (; counter.read < count; counter.read++) yield new Uint8Array(1024).fill(120);
      },
    },
  };
  return counter;
}

/** Encodes a response to a request, and returns its head and the rest as text. */
function encoded(
  response: Response,
  { method = "GET", minorVersion = 1 as 0 | 1, keepAlive = true } = {},
): { keepAlive: boolean; head: string; body: string; frames: number } {
  const result = encodeResponse(response, { request: { method, minorVersion }, keepAlive, date });
  const frames = [...result.frames];
  const [head = "", body = ""] = frames.map(latin1).join("").split(/(?<=\r\n\r\n)([^]*)/);
  return { keepAlive: result.keepAlive, head, body, frames: frames.length };
}

Deno.test(
  "encodeResponse() sends a body of known length with Content-Length, in several frames",
  pure,
  () => {
    const length = 3 * FRAME_SIZE + 1024;
    const { head, body, frames, keepAlive } = encoded({
      status: 200,
      body: { length, pieces: counted(193).pieces },
    });
    assert(head.includes(`\r\ncontent-length: ${length}\r\n`), head);
    assert(!head.includes("transfer-encoding"), head);
    assertEquals([body, frames, keepAlive], ["x".repeat(length), 4, true]);
  },
);

Deno.test("encodeResponse() sends a short body of unknown length with Content-Length", pure, () => {
  for (const count of [0, 1, 64]) {
    const { head, body } = encoded({ status: 200, body: counted(count) });
    assert(head.includes(`\r\ncontent-length: ${count * 1024}\r\n`), head);
    assertEquals(body.length, count * 1024);
  }
});

Deno.test("encodeResponse() sends a long body of unknown length in chunks", pure, () => {
  const { head, body, keepAlive } = encoded({ status: 200, body: counted(129) });
  assert(head.includes("\r\ntransfer-encoding: chunked\r\n"), head);
  assert(!head.includes("content-length"), head);
  const full = `10000\r\n${"x".repeat(FRAME_SIZE)}\r\n`;
  assertEquals(body, `${full}${full}400\r\n${"x".repeat(1024)}\r\n0\r\n\r\n`);
  assertEquals(keepAlive, true);
});

Deno.test("encodeResponse() ends a long body for HTTP/1.0 with the connection", pure, () => {
  const { head, body, keepAlive } = encoded({ status: 200, body: counted(65) }, { minorVersion: 0 });
  assert(!/transfer-encoding|content-length|keep-alive/.test(head), head);
  assert(head.includes("\r\nconnection: close\r\n"), head);
  assertEquals([body, keepAlive], ["x".repeat(65 * 1024), false]);
});

Deno.test("encodeResponse() returns the head of GET for HEAD, without reading the body", pure, () => {
  for (const count of [1, 64, 65, 10_000]) {
    const body = counted(count);
    const head = encoded({ status: 200, body }, { method: "HEAD" });
    assertEquals(head.head, encoded({ status: 200, body: counted(count) }).head);
    assertEquals([head.body, head.keepAlive], ["", true]);
    assert(body.read <= 128, `${body.read} pieces were read`);
  }
});

Deno.test("encodeResponse() reads at most two frames of a body in advance", pure, () => {
  const body = counted(10_000);
  const { frames } = encodeResponse({ status: 200, body }, {
    request: { method: "GET", minorVersion: 1 },
    keepAlive: true,
    date,
  });
  assertEquals(body.read, 127);
  const iterator = frames[Symbol.iterator]();
  for (let i = 0; i < 3; i++) iterator.next();
  assertEquals(body.read, 191);
});

Deno.test(
  "encodeResponse() throws while it is sent when a body has another length than it should",
  pure,
  () => {
    for (const length of [2047, 2049]) {
      assertThrows(
        () => encoded({ status: 200, body: { length, pieces: counted(2).pieces } }),
        Error,
        `Cannot send the body: its pieces are not ${length} bytes long`,
      );
    }
  },
);
