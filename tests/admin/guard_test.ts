import { assertEquals } from "@std/assert";
import { type GuardOptions, refuseRequest } from "../../admin/guard.ts";
import type { AdminRequest } from "../../admin/request.ts";
import { pure } from "../_util/permissions.ts";

const LOOPBACK: GuardOptions = { reach: "loopback", hosts: ["relay.internal"] };
const NETWORK: GuardOptions = { reach: "network", hosts: ["relay.internal"] };

function requestWith(method: string, headers: Record<string, string | string[]>): AdminRequest {
  const values = new Map(Object.entries({ host: "localhost:9000", ...headers }));
  return {
    method,
    path: "/x",
    query: new URLSearchParams(),
    header: (name) => [values.get(name) ?? []].flat(),
    signal: new AbortController().signal,
  };
}

function statusOf(
  method: string,
  headers: Record<string, string | string[]>,
  { changes = method === "POST", ...options }: Partial<GuardOptions> & { changes?: boolean } = {},
): number | undefined {
  return refuseRequest(requestWith(method, headers), changes, { ...LOOPBACK, ...options })?.status;
}

Deno.test("refuseRequest() refuses a foreign Host, however it is written", pure, () => {
  for (
    const host of [
      "127.0.0.1:9000",
      "localhost",
      "LOCALHOST:1",
      "[::1]:9000",
      "127.1.2.3",
      "relay.internal:80",
    ]
  ) {
    assertEquals(statusOf("GET", { host }), undefined, host);
  }
  const foreign = [
    "evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "[::2]",
    "localhost.",
    "",
    "a b",
    "[::1",
    "x:y:z",
  ];
  for (const host of foreign) assertEquals(statusOf("GET", { host }), 421, host);
  assertEquals(statusOf("GET", { host: [] }), undefined);
  assertEquals(statusOf("GET", { host: [], origin: "http://undefined" }), 403);
  assertEquals(statusOf("GET", { host: ["localhost", "localhost"] }), 421);
  assertEquals(statusOf("GET", { host: "10.0.0.1:9" }, NETWORK), undefined);
  assertEquals(statusOf("GET", { host: "evil.example" }, NETWORK), 421);
});

Deno.test("refuseRequest() refuses requests of other sites", pure, () => {
  assertEquals(statusOf("POST", { origin: "http://localhost:9000" }), undefined);
  assertEquals(statusOf("POST", { origin: "https://localhost:9000" }), undefined);
  const foreign = [
    "http://evil.example",
    "null",
    "http://localhost:9001",
    "http://localhost",
    "http://127.0.0.1:9000",
  ];
  for (const origin of foreign) {
    assertEquals(statusOf("POST", { origin }), 403, origin);
    assertEquals(statusOf("GET", { origin }), 403, origin);
  }
  assertEquals(statusOf("POST", { "sec-fetch-site": "same-origin" }), undefined);
  assertEquals(statusOf("POST", { "sec-fetch-site": "cross-site" }), 403);
  assertEquals(statusOf("POST", { "sec-fetch-site": "same-site" }), 403);
  assertEquals(statusOf("POST", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), 403);
  assertEquals(statusOf("GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), undefined);
  assertEquals(statusOf("GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }), 403);
});

Deno.test("refuseRequest() allows changes only by POST, and nothing else by POST", pure, () => {
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "x"]) {
    assertEquals(statusOf(method, {}, { changes: true }), 405, method);
  }
  assertEquals(statusOf("POST", {}, { changes: false }), 405);
  assertEquals(refuseRequest(requestWith("GET", {}), true, LOOPBACK)?.headers.Allow, "POST");
});

Deno.test(
  "refuseRequest() requires the token for changes, and refuses changes over the network without one",
  pure,
  () => {
    const isToken = (given: string) => given === "s3cret";
    assertEquals(statusOf("POST", {}), undefined);
    assertEquals(statusOf("POST", {}, NETWORK), 403);
    assertEquals(statusOf("GET", {}, NETWORK), undefined);
    for (const options of [{ isToken }, { ...NETWORK, isToken }]) {
      assertEquals(statusOf("POST", {}, options), 401);
      assertEquals(statusOf("POST", { authorization: "Bearer wrong" }, options), 401);
      assertEquals(statusOf("POST", { authorization: "Basic s3cret" }, options), 401);
      assertEquals(statusOf("POST", { authorization: "Bearer s3cret" }, options), undefined);
      assertEquals(statusOf("POST", { authorization: ["Bearer s3cret", "Bearer wrong"] }, options), 401);
      assertEquals(statusOf("GET", {}, options), undefined);
    }
  },
);
