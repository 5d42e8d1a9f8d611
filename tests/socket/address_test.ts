import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseAddress, parseHost, parsePort } from "../../socket/address.ts";
import { formatAddress } from "../../socket/network.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseAddress() reads IPv4, IPv6, and names", pure, () => {
  const cases: [string, string, number][] = [
    ["127.0.0.1:8000", "127.0.0.1", 8000],
    ["[::1]:0", "::1", 0],
    ["[::ffff:127.0.0.1]:65535", "::ffff:127.0.0.1", 65_535],
    ["localhost:1", "localhost", 1],
    ["my_host.example-1.org.:80", "my_host.example-1.org.", 80],
    ["1host:80", "1host", 80],
  ];
  for (const [text, hostname, port] of cases) assertEquals(parseAddress(text), { hostname, port }, text);
});

Deno.test("parseAddress() throws for any other text, and shows it", pure, () => {
  const bad = [
    "",
    "localhost",
    ":8000",
    "8000",
    "::1:8000",
    "[::1]",
    "[::1:8000",
    "::1]:8000",
    "[localhost]:80",
    "[127.0.0.1]:80",
    "[]:80",
    "[::1%eth0]:80",
    "256.0.0.1:80",
    "1.2.3:80",
    "01.2.3.4:80",
    "a b:80",
    "-a:80",
    "a..b:80",
    "tcp://a:80",
    "[::1]x:80",
  ];
  for (const text of bad) assertThrows(() => parseAddress(text), RangeError, "Expected HOST:PORT", text);
  assertThrows(() => parseAddress("a\x1b"), RangeError, 'got "a\\x1b"');
  assertThrows(() => parseAddress(`${"a".repeat(254)}:80`), RangeError, "Expected HOST:PORT");
});

Deno.test("parseAddress() throws for a port out of range", pure, () => {
  for (const port of ["", "65536", "-1", "1.5", "http", "0x50", " 80", "000080"]) {
    assertThrows(
      () => parseAddress(`localhost:${port}`),
      RangeError,
      "Expected a port from 0 to 65535",
      port,
    );
  }
  assertThrows(() => parseAddress("localhost:0", { minPort: 1 }), RangeError, "a port from 1 to 65535");
});

Deno.test("parsePort() accepts 0 only when the OS may choose the port", pure, () => {
  assertEquals(parsePort("0"), 0);
  assertEquals(parsePort("65535", { minPort: 1 }), 65_535);
  assertThrows(() => parsePort("0", { minPort: 1 }), RangeError, 'a port from 1 to 65535, got "0"');
});

Deno.test("parseHost() reads IPv6 with and without brackets", pure, () => {
  for (const host of ["::1", "[::1]"]) assertEquals(parseHost(host), "::1");
  for (const host of ["127.0.0.1", "localhost", "a.b"]) assertEquals(parseHost(host), host);
});

Deno.test("parseHost() throws for any other text", pure, () => {
  for (const host of ["", "[::1", "[a]", "a:80", "1.2.3.4.5", ":::", "a/b", "a b"]) {
    assertThrows(
      () => parseHost(host),
      RangeError,
      "Expected an IP address, a host name, or unix:/path",
      host,
    );
  }
});

Deno.test("parseAddress() reverses formatAddress()", pure, () => {
  const hostname = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(fc.property(hostname, fc.integer({ min: 0, max: 65_535 }), (hostname, port) => {
    assertEquals(parseAddress(formatAddress({ hostname, port })), { hostname, port });
  }));
});
