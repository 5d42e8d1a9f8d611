import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AF_INET, AF_INET6, AF_UNIX } from "../../native/abi.ts";
import { decodeSocketAddress, encodeSocketAddress, withPort } from "../../native/socket_address.ts";
import { pure } from "../_util/permissions.ts";

function roundTrip(hostname: string, port: number): unknown {
  const { bytes } = encodeSocketAddress({ hostname, port })!;
  return decodeSocketAddress(bytes, bytes.length);
}

Deno.test("encodeSocketAddress() has the kernel's layout", pure, () => {
  assertEquals(encodeSocketAddress({ hostname: "127.0.0.1", port: 8000 }), {
    family: AF_INET,
    bytes: new Uint8Array([2, 0, 0x1f, 0x40, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
  });
  const { family, bytes } = encodeSocketAddress({ hostname: "fe80::1%3", port: 1 })!;
  assertEquals([family, bytes.length, bytes[0], bytes[3], bytes[8], bytes[23], bytes[24]], [
    ...[AF_INET6, 28, 10, 1, 0xfe, 1, 3],
  ]);
  assertEquals(encodeSocketAddress({ hostname: "unix:/a", port: 0 }), {
    family: AF_UNIX,
    bytes: new Uint8Array([1, 0, 0x2f, 0x61, 0]),
  });
});

Deno.test("decodeSocketAddress() returns what was encoded, for any address", pure, () => {
  fc.assert(fc.property(fc.ipV4(), fc.nat(65_535), (hostname, port) => {
    assertEquals(roundTrip(hostname, port), { hostname, port });
  }));
  fc.assert(fc.property(fc.ipV6(), fc.nat(65_535), (hostname, port) => {
    const { bytes } = encodeSocketAddress({ hostname, port })!;
    const decoded = decodeSocketAddress(bytes, bytes.length);
    assertEquals(encodeSocketAddress(decoded)!.bytes, bytes);
  }));
  for (
    const hostname of [
      "unix:/run/okline",
      "unix:relative",
      "unix:/ü",
      `unix:/${"x".repeat(106)}`,
      "fe80::1%3",
    ]
  ) {
    assertEquals(roundTrip(hostname, 0), { hostname, port: 0 });
  }
});

Deno.test("decodeSocketAddress() returns an empty path for a Unix socket without a name", pure, () => {
  assertEquals(decodeSocketAddress(new Uint8Array([1, 0, 7, 7]), 2), { hostname: "unix:", port: 0 });
});

Deno.test("decodeSocketAddress() returns an address or throws a TypeError, for any bytes", pure, () => {
  const families = fc.constantFrom(0, 1, 2, 10, 255);
  fc.assert(fc.property(families, fc.uint8Array({ maxLength: 126 }), fc.nat(128), (family, rest, length) => {
    const bytes = new Uint8Array(128);
    bytes.set([family, 0, ...rest]);
    try {
      const { hostname, port } = decodeSocketAddress(bytes, length);
      assertEquals([typeof hostname, Number.isInteger(port)], ["string", true]);
    } catch (error) {
      assertEquals(Object.getPrototypeOf(error), TypeError.prototype);
    }
  }));
});

Deno.test("encodeSocketAddress() returns undefined for a name", pure, () => {
  for (const hostname of ["localhost", "example.com", "1.2.3", "fe80::1%eth0", ""]) {
    assertEquals(encodeSocketAddress({ hostname, port: 1 }), undefined, hostname);
  }
});

Deno.test("encodeSocketAddress() throws for a bad port or path", pure, () => {
  for (const port of [-1, 65_536, 1.5, NaN]) {
    assertThrows(() => encodeSocketAddress({ hostname: "::1", port }), RangeError, `port ${port}`);
  }
  for (const path of ["", "/a\0b", "x".repeat(108)]) {
    assertThrows(() => encodeSocketAddress({ hostname: `unix:${path}`, port: 0 }), RangeError, "107 bytes");
  }
});

Deno.test("withPort() changes the port of a copy", pure, () => {
  const one = encodeSocketAddress({ hostname: "::1", port: 1 })!;
  const other = withPort(one, 515);
  assertEquals(decodeSocketAddress(other.bytes, 28), { hostname: "::1", port: 515 });
  assertEquals(decodeSocketAddress(one.bytes, 28), { hostname: "::1", port: 1 });
});
