import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { crc32c } from "../../../services/proxy/proxy_protocol/crc32c.ts";
import { formatOwnHeader, formatProxyHeader } from "../../../services/proxy/proxy_protocol/format.ts";
import { type ProxiedEnds, ProxyProtocolError } from "../../../services/proxy/proxy_protocol/header.ts";
import { ProxyHeaderReader, type ReadHeader } from "../../../services/proxy/proxy_protocol/reader.ts";
import { pure } from "../../_util/permissions.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const utf8 = new TextEncoder();

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

/** Reads a header in pieces, each from a buffer that is overwritten afterwards. */
function read(bytes: Uint8Array, size: number): ReadHeader | undefined {
  const reader = new ProxyHeaderReader();
  for (let at = 0; at < bytes.length; at += size) {
    const reused = bytes.slice(at, at + size);
    const result = reader.push(reused);
    reused.fill(0xee);
    if (result) {
      return { header: result.header, rest: new Uint8Array([...result.rest, ...bytes.subarray(at + size)]) };
    }
  }
  return undefined;
}

function readEveryWay(bytes: Uint8Array): ReadHeader | undefined {
  const whole = read(bytes, bytes.length);
  for (const size of [1, 2, 5, 15, 16, 17]) assertEquals(read(bytes, size), whole, `in pieces of ${size}`);
  return whole;
}

function endsOf(bytes: Uint8Array): ProxiedEnds | undefined {
  const result = readEveryWay(bytes);
  assertEquals(result?.rest, new Uint8Array(0));
  return result?.header.ends;
}

function assertRefused(bytes: Uint8Array, message: string): void {
  for (const size of [1, 7, bytes.length]) {
    assertThrows(() => read(bytes, size), ProxyProtocolError, message);
  }
}

Deno.test("ProxyHeaderReader.push() returns the addresses of a version 1 header", pure, () => {
  assertEquals(endsOf(utf8.encode("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")), {
    source: { hostname: "192.168.0.1", port: 56324 },
    destination: { hostname: "192.168.0.11", port: 443 },
  });
  assertEquals(endsOf(utf8.encode("PROXY TCP6 2001:DB8::1 ::1 0 65535\r\n")), {
    source: { hostname: "2001:db8::1", port: 0 },
    destination: { hostname: "::1", port: 65535 },
  });
  assertEquals(endsOf(utf8.encode("PROXY UNKNOWN\r\n")), undefined);
  assertEquals(endsOf(utf8.encode("PROXY UNKNOWN whatever else 1\r\n")), undefined);
});

Deno.test("ProxyHeaderReader.push() returns the addresses of a version 2 header", pure, () => {
  assertEquals(endsOf(hex(`${SIGNATURE} 21 11 000c 7f000001 0a000002 1f90 0050`)), {
    source: { hostname: "127.0.0.1", port: 8080 },
    destination: { hostname: "10.0.0.2", port: 80 },
  });
  const one = `${"00".repeat(15)}01`;
  assertEquals(endsOf(hex(`${SIGNATURE} 21 21 0024 20010db8${"00".repeat(11)}05 ${one} ffff 0001`)), {
    source: { hostname: "2001:db8::5", port: 65535 },
    destination: { hostname: "::1", port: 1 },
  });
});

Deno.test("ProxyHeaderReader.push() skips the body when a header is not about TCP over IP", pure, () => {
  for (
    const header of [
      `${SIGNATURE} 20 00 0000`,
      `${SIGNATURE} 20 ff 0003 010203`,
      `${SIGNATURE} 21 00 0003 010203`,
      `${SIGNATURE} 21 12 000c 7f000001 0a000002 1f90 0050`,
      `${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`,
    ]
  ) assertEquals(endsOf(hex(header)), undefined, header.slice(25, 40));
});

Deno.test("ProxyHeaderReader.push() returns the extensions and the bytes after the header", pure, () => {
  const result = readEveryWay(
    hex(`${SIGNATURE} 21 11 0014 7f000001 0a000002 1f90 0050 05 0002 abcd 04 0000 474554`),
  );
  assertEquals(result?.header.extensions, [
    { type: 5, value: hex("abcd") },
    { type: 4, value: new Uint8Array(0) },
  ]);
  assertEquals(result?.rest, utf8.encode("GET"));
  assertEquals(readEveryWay(utf8.encode("PROXY UNKNOWN\r\n\r\nGET"))?.rest, utf8.encode("\r\nGET"));
});

Deno.test("ProxyHeaderReader.push() throws when the checksum is wrong", pure, () => {
  const header = (checksum: string) =>
    hex(`${SIGNATURE} 21 11 0013 7f000001 0a000002 1f90 0050 03 0004 ${checksum}`);
  const right = crc32c(header("00000000")).toString(16).padStart(8, "0");
  assertEquals(readEveryWay(header(right))?.header.ends?.source.port, 8080);
  assertRefused(header("00000000"), "checksum");
  assertRefused(hex(`${SIGNATURE} 21 11 0011 7f000001 0a000002 1f90 0050 03 0002 0000`), "checksum");
});

Deno.test("crc32c() returns the published check values", pure, () => {
  assertEquals(crc32c(utf8.encode("123456789")), 0xe3069283);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
});

Deno.test("ProxyHeaderReader.push() throws when the header is malformed", pure, () => {
  for (
    const [line, message] of [
      ["GET / HTTP/1.1\r\n", "does not start"],
      ["PROXY\r\n", "does not start"],
      ["proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "does not start"],
      ["PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "not TCP4"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", "CRLF"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "two addresses"],
      ["PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n", "two addresses"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "two addresses"],
      ["PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n", "address"],
      ["PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "address"],
      ["PROXY TCP4 ::1 ::1 1 1\r\n", "address"],
      ["PROXY TCP6 1.2.3.4 ::1 1 1\r\n", "address"],
      ["PROXY TCP6 fe80::1%lo ::1 1 1\r\n", "address"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "port"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n", "port"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n", "port"],
      [`PROXY UNKNOWN ${"a".repeat(100)}\r\n`, "no end"],
    ] as const
  ) assertRefused(utf8.encode(line), message);
  for (
    const [header, message] of [
      [`${SIGNATURE} 11 11 000c ${"00".repeat(12)}`, "version and command"],
      [`${SIGNATURE} 22 11 000c ${"00".repeat(12)}`, "version and command"],
      [`${SIGNATURE} 21 41 000c ${"00".repeat(12)}`, "family"],
      [`${SIGNATURE} 21 13 000c ${"00".repeat(12)}`, "family"],
      [`${SIGNATURE} 21 11 000b ${"00".repeat(11)}`, "length is less"],
      [`${SIGNATURE} 21 11 000e ${"00".repeat(12)} 0500`, "cut off"],
      [`${SIGNATURE} 21 11 0010 ${"00".repeat(12)} 05000200`, "cut off"],
      [`${SIGNATURE} 21 11 ffff`, "over the limit"],
      ["0d0a0d0a000d0a515549540b", "does not start"],
    ] as const
  ) assertRefused(hex(header), message);
});

Deno.test("ProxyHeaderReader.push() accepts a line of 107 bytes, the longest", pure, () => {
  const line = `PROXY UNKNOWN ${"a".repeat(91)}\r\n`;
  assertEquals(line.length, 107);
  assertEquals(endsOf(utf8.encode(line)), undefined);
});

Deno.test("formatProxyHeader() returns a header that parses to the same addresses", pure, () => {
  const port = fc.nat({ max: 65535 });
  const ipv4 = fc.record({ hostname: fc.constantFrom("1.2.3.4", "255.255.255.255", "0.0.0.0"), port });
  const ipv6 = fc.record({ hostname: fc.constantFrom("::1", "2001:db8::5", "::"), port });
  const pair = fc.oneof(
    fc.record({ source: ipv4, destination: ipv4 }),
    fc.record({ source: ipv6, destination: ipv6 }),
    fc.constant(undefined),
  );
  fc.assert(fc.property(pair, fc.constantFrom<1 | 2>(1, 2), (ends, version) => {
    const result = read(formatProxyHeader(version, ends), 1000);
    assertEquals(result, { header: { version, ends, extensions: [] }, rest: new Uint8Array(0) });
  }));
});

Deno.test("formatProxyHeader() maps IPv4 to IPv6 when the ends are of different families", pure, () => {
  const ends = { source: { hostname: "1.2.3.4", port: 1 }, destination: { hostname: "::1", port: 2 } };
  assertStringIncludes(
    new TextDecoder().decode(formatProxyHeader(1, ends)),
    "PROXY TCP6 ::ffff:102:304 ::1 1 2\r\n",
  );
  assertEquals(endsOf(formatProxyHeader(2, ends))?.source.hostname, "::ffff:102:304");
});

Deno.test("formatProxyHeader() leaves out the addresses when one is a Unix socket", pure, () => {
  const unix = { hostname: "unix:/run/echo", port: 0 };
  const ends = { source: unix, destination: { hostname: "10.0.0.2", port: 80 } };
  assertEquals(new TextDecoder().decode(formatProxyHeader(1, ends)), "PROXY UNKNOWN\r\n");
  assertEquals(formatProxyHeader(2, ends), hex(`${SIGNATURE} 21 00 0000`));
  assertEquals(endsOf(formatProxyHeader(2, ends)), undefined);
});

Deno.test(
  "formatOwnHeader() returns LOCAL in version 2, and a line that every server accepts in version 1",
  pure,
  () => {
    const own = {
      source: { hostname: "10.0.0.1", port: 40000 },
      destination: { hostname: "10.0.0.2", port: 80 },
    };
    assertEquals(formatOwnHeader(2, own), hex(`${SIGNATURE} 20 00 0000`));
    assertEquals(
      new TextDecoder().decode(formatOwnHeader(1, own)),
      "PROXY TCP4 10.0.0.1 10.0.0.2 40000 80\r\n",
    );
  },
);
