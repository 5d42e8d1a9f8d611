import { assertEquals, assertThrows } from "@std/assert";
import { serializeResponse } from "../../http/response.ts";
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

Deno.test("serializeResponse() writes status, date, length in bytes, headers and body", pure, () => {
  assertEquals(
    text({ status: 200, headers: { "Content-Type": "text/plain" }, body: "é" }),
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\né",
  );
});

Deno.test("serializeResponse() gives HEAD the length and no body", pure, () => {
  const head = text({ status: 200, body: "hello" }, { request: { method: "HEAD", minorVersion: 1 } });
  assertEquals(head, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
});

Deno.test("serializeResponse() gives 204 neither body nor length", pure, () => {
  assertEquals(
    text({ status: 204, body: "x" }),
    "HTTP/1.1 204 No Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
  );
});

Deno.test("serializeResponse() says whether the connection stays where that is not plain", pure, () => {
  const connection = (context: Parameters<typeof text>[1]) =>
    /connection: (.*)\r\n/.exec(text({ status: 200 }, context))?.[1];
  assertEquals(connection({}), undefined);
  assertEquals(connection({ keepAlive: false }), "close");
  assertEquals(connection({ request: { method: "GET", minorVersion: 0 } }), "keep-alive");
  assertEquals(connection({ request: undefined, keepAlive: false }), "close");
});

Deno.test("serializeResponse() lets no header break its line", pure, () => {
  assertThrows(() => text({ status: 200, headers: { "X": "a\r\nY: b" } }), TypeError);
});
