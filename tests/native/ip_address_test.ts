import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "../../native/ip_address.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseIpv4() and formatIpv4() are each other's inverse", pure, () => {
  fc.assert(fc.property(fc.ipV4(), (text) => assertEquals(formatIpv4(parseIpv4(text)!, 0), text)));
});

Deno.test("parseIpv4() returns undefined for anything but four decimal numbers up to 255", pure, () => {
  for (const text of ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.", "a.b.c.d", "0x7f.0.0.1"]) {
    assertEquals(parseIpv4(text), undefined, text);
  }
});

Deno.test("parseIpv6() returns undefined for anything but an IPv6 address", pure, () => {
  for (
    const text of ["", "1", "::1%1", "1::2::3", "12345::", "[::1]", "localhost", "127.0.0.1", ":", "::1/64"]
  ) {
    assertEquals(parseIpv6(text), undefined, text);
  }
});

Deno.test("formatIpv6() writes the form of RFC 5952", pure, () => {
  for (
    const [text, canonical] of [
      ["::", "::"],
      ["0:0:0:0:0:0:0:1", "::1"],
      ["2001:0DB8::0001:0", "2001:db8::1:0"],
      ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
      ["::ffff:7f00:1", "::ffff:127.0.0.1"],
      ["fe80::", "fe80::"],
    ] as const
  ) assertEquals(formatIpv6(parseIpv6(text)!, 0), canonical);
});

Deno.test("formatIpv6() agrees with the URL parser for any address that is not IPv4-mapped", pure, () => {
  // Few distinct groups, so that runs of zeros are common.
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(fc.property(fc.tuple(...Array.from({ length: 8 }, () => group)), (groups) => {
    fc.pre(!(groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xffff));
    const text = groups.map((each) => each.toString(16)).join(":");
    const bytes = parseIpv6(text)!;
    assertEquals(`[${formatIpv6(bytes, 0)}]`, new URL(`http://[${text}]`).hostname);
    assertEquals(parseIpv6(formatIpv6(bytes, 0)), bytes);
  }));
});
