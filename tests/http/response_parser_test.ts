import { assertEquals, assertThrows } from "@std/assert";
import { HttpResponseError, ResponseParser } from "../../http/response_parser.ts";
import { pure } from "../_util/permissions.ts";

/** Returns what a parser reads from `text` in pieces of `size` bytes: status, headers, and body. */
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
  [
    "a folded header line",
    "HTTP/1.1 200 OK\r\nX: one\r\n  two\r\n\t\r\n\tthree \r\nY:\r\n z\r\nContent-Length: 1\r\n\r\nx",
    '200 OK {"content-length":"1","x":"one two three","y":"z"} x$',
  ],
  [
    "a folded trailer line",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n w\r\n\r\n",
    '200 OK {"transfer-encoding":"chunked"} x$',
  ],
  [
    "a fold around a length",
    "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nhi",
    '200 OK {"content-length":"2"} hi$',
  ],
  [
    "100 interim responses first",
    `${"HTTP/1.1 102 Processing\r\n\r\n".repeat(100)}HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx`,
    '200 OK {"content-length":"1"} x$',
  ],
  ["an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", '200 OK {"content-length":"0"} $'],
  [
    "a repeated, equal length",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    '200 OK {"content-length":"2, 2"} hi$',
  ],
  ["a body that ends with the connection", "HTTP/1.0 200 OK\r\n\r\nhello", "200 OK {} hello$"],
  ["an empty reason", "HTTP/1.1 204 \r\n\r\n", "204  {} $"],
  [
    "a 304 without a body",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    '304 Not Modified {"content-length":"5"} $',
  ],
  ["a status line without a reason", "HTTP/1.1 304\r\n\r\n", "304  {} $"],
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
    "a response to HEAD",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    '200 OK {"content-length":"5"} $',
    "HEAD",
  ],
];

for (const [name, text, seen, method] of GOOD) {
  Deno.test(`ResponseParser.push() reads ${name}, however the bytes are cut`, pure, () => {
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
  ["HTTP/1.1 000 OK\r\n", "First line is not that of an HTTP/1 response"],
  ["HTTP/1.1 200 OK\r\nX: a\r\n b\0\r\n\r\n", "Header X contains a control character"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\n", "Content-Length is not one number"],
  ["HTTP/1.1 102 Processing\r\n\r\n".repeat(101), "Server sent more than 100 interim responses (1xx)"],
  [
    `HTTP/1.1 103 Early Hints\r\nX: ${"y".repeat(40_000)}\r\n\r\n`.repeat(2),
    "Head is over 65536 bytes",
  ],
  ["HTTP/1.1 200 OK\r\n", "Response ended before its body"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "Response ended inside its body"],
  [`HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}\r\n\r\n`, "Head is over 65536 bytes"],
];

for (const [text, message] of BAD) {
  Deno.test(`ResponseParser.push() throws for ${JSON.stringify(text.slice(0, 60))}`, pure, () => {
    for (const size of [1, 5, text.length]) {
      assertThrows(() => parse(text, { size }), HttpResponseError, message);
    }
  });
}
