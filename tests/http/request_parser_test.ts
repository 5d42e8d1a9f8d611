/** The requests that the parser accepts. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { RequestParser } from "../../http/request_parser.ts";
import {
  bytesOf,
  CHUNKED,
  GET,
  only,
  parse,
  parseEveryWay,
  POST,
  statusOf,
} from "../_util/http/http_requests.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("RequestParser.push() reads a request line and headers", pure, () => {
  const { head, body } = only(
    "GET /a%20b?q=1&r HTTP/1.1\r\nHost: example.org:80\r\nX-One:  two \t\r\nx-one:3\r\n\r\n",
  );
  assertEquals(head.method, "GET");
  assertEquals([head.path, head.query, head.authority], ["/a%20b", "q=1&r", "example.org:80"]);
  assertEquals(head.headers.get("x-one"), "two, 3");
  assertEquals(head.body, { type: "none" });
  assertEquals([head.keepAlive, head.expectsContinue, head.minorVersion], [true, false, 1]);
  assertEquals(body, "");
});

Deno.test("RequestParser.push() reads pipelined requests with sized and chunked bodies", pure, () => {
  const text =
    `${POST}Content-Length: 5\r\n\r\nhello${CHUNKED}3;a=b;c="d\\";"\r\nabc\r\n0A \t; x\r\n0123456789\r\n` +
    `000\r\nDigest: x\r\n\r\n${POST}Content-Length: 0\r\n\r\n${GET}\r\n`;
  const { requests, error } = parseEveryWay(text);
  assertEquals(error, undefined);
  assertEquals(requests.map((request) => request.body), ["hello", "abc0123456789", "", ""]);
  assertEquals(requests[1]!.trailers, { digest: "x" });
  assertEquals(requests[1]!.head.headers.get("digest"), null);
});

Deno.test("RequestParser.push() returns any body, however it is chunked and cut", pure, () => {
  fc.assert(fc.property(
    fc.array(fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 50 }), { maxLength: 8 }),
    fc.integer({ min: 1, max: 60 }),
    (chunks, size) => {
      const encoded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
      const { requests, error } = parse(`${CHUNKED}${encoded}0\r\n\r\n${GET}\r\n`, { size });
      assertEquals(error, undefined);
      assertEquals(requests.map((request) => request.body), [chunks.join(""), ""]);
    },
  ));
});

Deno.test("RequestParser.push() never throws, and returns the same however the bytes are cut", pure, () => {
  const pieces = fc.constantFrom(
    "GET ",
    "POST ",
    "/",
    " HTTP/1.1",
    "\r\n",
    "\n",
    "\r",
    "Host: a",
    "Content-Length: 3",
    "Transfer-Encoding: chunked",
    ":",
    " ",
    "\t",
    "\0",
    "3",
    "abc",
    "0",
    ";",
    "\xff",
    "HTTP/1.0",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
      parseEveryWay(parts.join(""));
    }),
    { numRuns: 500 },
  );
});

Deno.test("RequestParser.push() reads whether the connection stays open", pure, () => {
  const keepAlive = (version: string, connection: string) =>
    only(`GET / HTTP/${version}\r\nHost: a\r\n${connection}\r\n`).head.keepAlive;
  assertEquals(keepAlive("1.1", ""), true);
  assertEquals(keepAlive("1.1", "Connection: x, Close\r\n"), false);
  assertEquals(keepAlive("1.0", ""), false);
  assertEquals(keepAlive("1.0", "Connection: Keep-Alive\r\n"), true);
  assertEquals(keepAlive("1.1", "Connection: keep-alive\r\nConnection: close\r\n"), false);
});

Deno.test("RequestParser.push() reads whether the client waits for 100 Continue", pure, () => {
  assertEquals(only(`${POST}Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx`).head.expectsContinue, true);
  assertEquals(only(`${GET}Expect: 100-continue\r\n\r\n`).head.expectsContinue, false);
  assertEquals(
    only("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx").head.expectsContinue,
    false,
  );
  assertEquals(statusOf(`${POST}Expect: tea\r\n\r\n`), 417);
});

Deno.test("RequestParser.idle is true only between requests", pure, () => {
  const parser = new RequestParser();
  assert(parser.idle);
  for (const piece of ["G", "ET / HTTP/1.1\r\n", "Host: a\r\nContent-Length: 1\r\n", "\r\n"]) {
    parser.push(bytesOf(piece));
    assert(!parser.idle, piece);
  }
  parser.push(bytesOf("x"));
  assert(parser.idle);
});
