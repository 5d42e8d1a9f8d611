import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { Greeting, helloResponse } from "../../../services/hello/response.ts";
import { pure } from "../../_util/permissions.ts";

const decoder = new TextDecoder();

Deno.test("Greeting.at() is encoded once per second, with the Date of its second", pure, () => {
  const greeting = new Greeting();
  const time = Date.UTC(2030, 0, 2, 3, 4, 5);
  const at = (ms: number): Uint8Array => greeting.at(new Date(time + ms));
  const first = at(0);
  assertEquals(
    decoder.decode(first).split("\r\n").toSorted(),
    [
      "",
      "HTTP/1.1 200 OK",
      "Hello World!\n",
      "connection: close",
      "content-length: 13",
      "content-type: text/plain; charset=utf-8",
      "date: Wed, 02 Jan 2030 03:04:05 GMT",
    ],
  );
  assertStrictEquals(at(999), first);
  const next = at(1000);
  assertNotStrictEquals(next, first);
  assertEquals(next, helloResponse(200, "Hello World!\n", new Date(time + 1000)));
  assertEquals(at(0), first); // The clock of the OS was set back.
});
