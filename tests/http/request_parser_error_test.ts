/** The requests that the parser refuses, and with which status. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { CHUNKED, GET, only, parse, parseEveryWay, POST, statusOf } from "../_util/http/http_requests.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("RequestParser.push() refuses an ambiguous length, as in request smuggling", pure, () => {
  for (
    const fields of [
      "Content-Length: 4\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 4",
      "Content-Length: 4\r\nContent-Length: 5",
      "Content-Length: 4\r\nContent-Length: 4",
      "Content-Length: 4, 4",
      "Content-Length: +4",
      "Content-Length: -4",
      "Content-Length: 0x4",
      "Content-Length: 4 4",
      "Content-Length:",
      "Content-Length: 99999999999999999999",
      "Content-Length : 4",
      "Transfer-Encoding : chunked",
      "Transfer-Encoding: xchunked",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
      "Transfer-Encoding: chunked, gzip",
      "Transfer-Encoding: chunked, chunked",
      "Transfer-Encoding: \x0bchunked",
      "Transfer-Encoding: chunked;q=1",
      "Transfer-Encoding:",
      "Transfer-Encoding: identity",
    ]
  ) assertEquals(statusOf(`${POST}${fields}\r\n\r\n`), 400, fields);
  assertEquals(statusOf("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  assertEquals(statusOf(`${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`), 501);
  assertEquals(statusOf(`${POST}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n`), undefined);
});

Deno.test("RequestParser.push() refuses line ends and fields that parsers read differently", pure, () => {
  for (
    const text of [
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\n\r\n",
      `${GET}\n`,
      `${GET}X: a\r\n b\r\n\r\n`,
      `${GET}X: a\r\n\tb\r\n\r\n`,
      "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      `${GET}X : a\r\n\r\n`,
      `${GET}: a\r\n\r\n`,
      `${GET}X\r\n\r\n`,
      `${GET}X(y): a\r\n\r\n`,
      `${GET}X: a\rb\r\n\r\n`,
      `${GET}X: a\0b\r\n\r\n`,
      `${GET}X: a\x7f\r\n\r\n`,
      "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    ]
  ) assertEquals(statusOf(text), 400, JSON.stringify(text));
  assertEquals(only(`${GET}X: caf\xe9\r\n\r\n`).head.headers.get("x"), "caf\xe9");
});

Deno.test("RequestParser.push() refuses malformed chunks", pure, () => {
  for (
    const body of [
      "0x3\r\nabc\r\n0\r\n\r\n",
      "-3\r\nabc\r\n",
      "+3\r\nabc\r\n",
      " 3\r\nabc\r\n",
      "3 \r\nabc\r\n",
      "\r\n",
      "g\r\n",
      "3\nabc\r\n",
      "3\r\nabcX\r\n",
      "3\r\nabc\n0\r\n\r\n",
      "3\r\nabcd0\r\n\r\n",
      "1000000000000000\r\n",
      "3;\r\nabc\r\n",
      "3;a=\r\nabc\r\n",
      "3;a\0\r\nabc\r\n",
      `3;${"a".repeat(300)}\r\nabc\r\n`,
      `${`1;${"a".repeat(200)}\r\nx\r\n`.repeat(21)}0\r\n\r\n`,
      "0\r\nX: a\r\n b\r\n\r\n",
      "0\r\nX\r\n\r\n",
    ]
  ) assertEquals(statusOf(CHUNKED + body), 400, JSON.stringify(body.slice(0, 40)));
});

Deno.test("RequestParser.push() refuses a malformed request line", pure, () => {
  for (
    const line of [
      "GET /",
      "GET  / HTTP/1.1",
      " GET / HTTP/1.1",
      "GET / HTTP/1.1 ",
      "GET\t/ HTTP/1.1",
      "G@T / HTTP/1.1",
      "GET a HTTP/1.1",
      "GET /a#b HTTP/1.1",
      "GET /%zz HTTP/1.1",
      "GET /\xe9 HTTP/1.1",
      "GET /\\ HTTP/1.1",
      "GET / http/1.1",
      "GET / HTTP/1.10",
      "GET * HTTP/1.1",
      "GET http:// HTTP/1.1",
      "GET http://user@a/ HTTP/1.1",
      "GET https:// HTTP/1.1",
      "GET https://user@a/ HTTP/1.1",
      "GET ws://a/ HTTP/1.1",
      "GET ftp://a/ HTTP/1.1",
    ]
  ) assertEquals(statusOf(`${line}\r\nHost: a\r\n\r\n`), 400, line);
  assertEquals(statusOf("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  assertEquals(statusOf("PRI * HTTP/2.0\r\n\r\n"), 505);
  assertEquals(statusOf("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
});

Deno.test("RequestParser.push() follows the rules of Host and of the absolute form", pure, () => {
  for (
    const fields of [
      "X: y",
      "Host: a\r\nHost: a",
      "Host: a b",
      "Host: a/b",
      "Host: user@a",
      "Host: a:b",
      "Host: [::1",
    ]
  ) assertEquals(statusOf(`GET / HTTP/1.1\r\n${fields}\r\n\r\n`), 400, fields);
  assertEquals(only("GET / HTTP/1.0\r\n\r\n").head.authority, "");
  assertEquals(only("GET / HTTP/1.1\r\nHost:\r\n\r\n").head.authority, "");
  assertEquals(only("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").head.authority, "[::1]:80");
  const { head } = only("GET http://b:81?q HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals([head.scheme, head.authority, head.path, head.query], ["http", "b:81", "/", "q"]);
  const secure = only("GET HTTPS://b/c HTTP/1.1\r\nHost: a\r\n\r\n").head;
  assertEquals([secure.scheme, secure.authority, secure.path, secure.query], ["https", "b", "/c", ""]);
  assertEquals(only("GET /c HTTP/1.1\r\nHost: a\r\n\r\n").head.scheme, undefined);
  assertEquals(only("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").head.path, "*");
});

Deno.test("RequestParser.push() enforces its limits exactly", pure, () => {
  const line = `GET /${"a".repeat(100)} HTTP/1.1`;
  const limits = { maxRequestLine: line.length };
  assertEquals(statusOf(`${line}\r\nHost: a\r\n\r\n`, limits), undefined);
  assertEquals(statusOf(`${line}\r\nHost: a\r\n\r\n`, { maxRequestLine: line.length - 1 }), 414);
  assertEquals(statusOf("GET /".padEnd(line.length + 2, "a"), limits), 414, "without a line end");

  const headers = `Host: a\r\nX: ${"b".repeat(50)}\r\n\r\n`;
  assertEquals(statusOf(`GET / HTTP/1.1\r\n${headers}`, { maxHeaders: 60 }), undefined);
  assertEquals(statusOf(`GET / HTTP/1.1\r\n${headers}`, { maxHeaders: 59 }), 431);
  assertEquals(statusOf(`${GET}X: y\r\n\r\n`, { maxHeaderCount: 2 }), undefined);
  assertEquals(statusOf(`${GET}X: y\r\n\r\n`, { maxHeaderCount: 1 }), 431);
  assertEquals(statusOf(`${CHUNKED}0\r\nX: ${"y".repeat(58)}\r\n\r\n`, { maxHeaders: 60 }), 431);

  assertEquals(statusOf(`${POST}Content-Length: 10\r\n\r\n0123456789`, { maxBody: 10 }), undefined);
  assertEquals(statusOf(`${POST}Content-Length: 11\r\n\r\n`, { maxBody: 10 }), 413);
  const chunks = "5\r\n01234\r\n5\r\n56789\r\n";
  assertEquals(statusOf(`${CHUNKED}${chunks}0\r\n\r\n`, { maxBody: 10 }), undefined);
  assertEquals(statusOf(`${CHUNKED}${chunks}1\r\n`, { maxBody: 10 }), 413);
});

Deno.test("RequestParser.push() ignores one empty line before a request, but not two", pure, () => {
  assertEquals(only(`\r\n${GET}\r\n`).head.method, "GET");
  assertEquals(statusOf(`\r\n\r\n${GET}\r\n`), 400);
  assertEquals(parseEveryWay(`${GET}\r\n\r\n${GET}\r\n`).requests.length, 2);
});

Deno.test("RequestParser.end() returns an error when the input ends anywhere inside a request", pure, () => {
  const text = `${CHUNKED}1\r\nx\r\n0\r\nX: y\r\n\r\n`;
  for (let end = 1; end < text.length; end++) {
    const { error } = parse(text.slice(0, end));
    assertEquals(error?.status, 400, `cut at ${end}`);
    assertStringIncludes(error?.message ?? "", "ended inside");
  }
  assertEquals(parse(text).error, undefined);
  assertEquals(parse("").error, undefined);
});

Deno.test("RequestParser.push() returns the requests before an error", pure, () => {
  const { requests, error } = parseEveryWay(`${GET}\r\n${GET}X\r\n\r\n`);
  assertEquals(requests.length, 1);
  assertEquals(error?.status, 400);
});
