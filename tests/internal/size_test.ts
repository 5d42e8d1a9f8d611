import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatSize, parseSize } from "../../internal/size.ts";
import { pure } from "../_util/permissions.ts";

Deno.test("parseSize() reads every unit, and a bare number as bytes", pure, () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["512", 512],
    ["512B", 512],
    ["1KiB", 1024],
    ["1.5KiB", 1536],
    ["64KiB", 65_536],
    ["1MiB", 1_048_576],
    ["2GiB", 2_147_483_648],
    ["1TiB", 2 ** 40],
  ];
  for (const [text, bytes] of cases) assertEquals(parseSize(text), bytes, text);
});

Deno.test("parseSize() throws for any other text, and shows it", pure, () => {
  const bad = ["", "-1", "1 KiB", "KiB", "1kib", "1KIB", "1e3", ".5KiB", "1KiB\n", "1b", "0x10"];
  for (const text of bad) assertThrows(() => parseSize(text), RangeError, "Expected a size", text);
  assertThrows(() => parseSize("5x\x1b"), RangeError, 'got "5x\\x1b"');
});

Deno.test("parseSize() throws for ambiguous units, and names the unambiguous one", pure, () => {
  for (const text of ["1K", "1k", "1KB", "1kB"]) {
    assertThrows(() => parseSize(text), RangeError, "write KiB", text);
  }
  assertThrows(() => parseSize("10mb"), RangeError, "write MiB for powers of 1024");
});

Deno.test("parseSize() throws for fractions of a byte and for unsafe integers", pure, () => {
  assertThrows(() => parseSize("1.5"), RangeError, "whole number of bytes");
  assertThrows(() => parseSize("0.3KiB"), RangeError, "whole number of bytes");
  assertThrows(() => parseSize("9007199254740992"), RangeError, "whole number of bytes");
});

Deno.test("formatSize() writes the largest unit that stays short", pure, () => {
  const cases: [number, string][] = [
    [0, "0B"],
    [1000, "1000B"],
    [1024, "1KiB"],
    [1536, "1.5KiB"],
    [65_536, "64KiB"],
    [1_572_864, "1.5MiB"],
    [1_048_577, "1048577B"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatSize(bytes), text);
});

Deno.test("formatSize() throws for a value that is not a size", pure, () => {
  for (const bytes of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => formatSize(bytes), RangeError, "Cannot format a size");
  }
});

Deno.test("parseSize() reverses formatSize()", pure, () => {
  const shifted = fc.tuple(fc.integer({ min: 0, max: 8191 }), fc.integer({ min: 0, max: 40 }))
    .map(([amount, shift]) => amount * 2 ** shift);
  fc.assert(fc.property(fc.oneof(fc.maxSafeNat(), shifted), (bytes) => {
    assertEquals(parseSize(formatSize(bytes)), bytes);
  }));
});
