import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Line } from "../../../socket/codecs/line.ts";
import { LineDecoder } from "../../../socket/codecs/line_decoder.ts";
import { LineRun } from "../../../socket/codecs/line_run.ts";
import { pure } from "../../_util/permissions.ts";
import { text } from "../../_util/network/transport_pair.ts";

/** Returns the bytes of a run. */
function textOf({ bytes, start, end }: LineRun): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}

Deno.test("LineRun.add() joins all lines of a read that end in LF", pure, () => {
  const line = fc.string({ unit: "grapheme", maxLength: 80 }).filter((text) => !/[\r\n]/.test(text));
  fc.assert(fc.property(fc.array(line, { minLength: 1 }), (lines) => {
    const run = new LineRun();
    const read = lines.map((line) => `${line}\n`).join("");
    new LineDecoder().pushLines(text(`${read}rest`), {
      takeLine: (line) => assertEquals(run.add(line), true),
    });
    assertEquals([textOf(run), run.count], [read, lines.length]);
  }));
});

Deno.test("LineRun.add() refuses a line that does not end in LF, or does not follow", pure, () => {
  const bytes = text("one\ntwo\r\nthree\nfour");
  const run = new LineRun();
  assertEquals(run.add(new Line(bytes, 4, 7)), false); // CRLF
  assertEquals(run.add(new Line(bytes, 15, 19)), false); // The LF is elsewhere.
  assertEquals(run.count, 0);
  assertEquals(run.add(new Line(bytes, 0, 3)), true);
  assertEquals(run.add(new Line(bytes, 9, 14)), false); // Another line is between them.
  assertEquals(run.add(new Line(bytes.slice(), 4, 8)), false); // Other memory
  assertEquals([textOf(run), run.count], ["one\n", 1]);
});

Deno.test("LineRun.clear() begins anew, and keeps no memory", pure, () => {
  const run = new LineRun();
  run.add(Line.of("")); // A line of its own memory has no LF.
  run.add(new Line(text("one\n"), 0, 3));
  run.clear();
  assertEquals([run.count, run.bytes.length], [0, 0]);
  run.add(new Line(text("x\ntwo\n"), 2, 5));
  assertEquals([textOf(run), run.count], ["two\n", 1]);
});
