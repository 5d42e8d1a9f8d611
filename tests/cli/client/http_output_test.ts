import { assertEquals } from "@std/assert";
import { headersAsJson } from "../../../cli/client/http_output.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("headersAsJson() keeps every cookie, and joins other headers of one name", pure, () => {
  const headers = new Headers([
    ["Set-Cookie", "a=1; Path=/"],
    ["Vary", "Accept"],
    ["Set-Cookie", "b=2, 3"],
    ["Vary", "Origin"],
  ]);
  assertEquals(headersAsJson(headers), { "set-cookie": ["a=1; Path=/", "b=2, 3"], vary: "Accept, Origin" });
  assertEquals(headersAsJson(new Headers([["Set-Cookie", "a=1"]])), { "set-cookie": ["a=1"] });
  assertEquals(headersAsJson(new Headers([["Vary", "Accept"]])), { vary: "Accept" });
});
