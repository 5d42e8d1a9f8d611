import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { copyBytes, Line } from "../../../socket/codecs/line.ts";

const permissions = "none";

/** Any text of one line. */
const anyText = fc.string({ unit: "grapheme", maxLength: 80 }).filter((text) => !text.includes("\n"));

/** Returns a line in the middle of other bytes. */
function inside(text: string): Line {
  const { bytes } = Line.of(`<<${text}>>`);
  return new Line(bytes, 2, bytes.length - 2);
}

Deno.test("Line.text() returns the text that Line.of() encoded, from any byte on", { permissions }, () => {
  fc.assert(fc.property(anyText, anyText, (first, second) => {
    const start = Line.of(first).length;
    for (const line of [Line.of(first + second), inside(first + second)]) {
      assertEquals([`${line}`, line.text(), line.text(start)], [first + second, first + second, second]);
      assertEquals(line.length, start + Line.of(second).length);
    }
  }));
  assertEquals(Line.of("å".repeat(1000)).text(), "å".repeat(1000));
});

Deno.test("Line.of() throws for a line feed", { permissions }, () => {
  assertThrows(() => Line.of("two\nlines"), TypeError, `"two\\nlines"`);
});

Deno.test("Line.startsWith() compares only the bytes of the line", { permissions }, () => {
  const { bytes: ok } = Line.of("ok ");
  assert(inside("ok x").startsWith(ok));
  assert(inside("ok ").startsWith(ok));
  for (const text of ["", "ok", "oka", "Ok x", " ok x"]) assert(!inside(text).startsWith(ok), text);
  const { bytes } = Line.of("ok x");
  assert(!new Line(bytes, 0, 2).startsWith(ok));
});

Deno.test("Line.endsAs() holds when the rests of both lines are equal", { permissions }, () => {
  assert(inside("message x").endsAs(Line.of("ok x"), 8, 3));
  assert(inside("message ").endsAs(Line.of("ok "), 8, 3));
  for (const other of ["ok ", "ok y", "ok xx", "ok  x"]) {
    assert(!inside("message x").endsAs(inside(other), 8, 3), other);
  }
});

Deno.test("copyBytes() copies parts of any length to any place", { permissions }, () => {
  const from = Uint8Array.from({ length: 200 }, (_, i) => i);
  for (const length of [0, 1, 47, 48, 49, 150]) {
    const to = new Uint8Array(200).fill(255);
    copyBytes(from, 20, 20 + length, to, 5);
    assertEquals([...to.subarray(5, 5 + length)], [...from.subarray(20, 20 + length)]);
    assertEquals([to[4], to[5 + length]], [255, 255]);
  }
});
