import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeUtf8 } from "../../../socket/codecs/utf8.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("encodeUtf8() encodes short and long text as TextEncoder does, and keeps each result", pure, () => {
  const unit = fc.constantFrom("x", "é", "€", "😀", "\uD800", "\uDC00", "\0");
  // Repeated: pieces are cut from one allocation up to some length, and beyond have one of their own.
  const text = fc.tuple(fc.string({ unit, maxLength: 8 }), fc.integer({ min: 1, max: 1000 }))
    .map(([part, times]) => part.repeat(times));
  const encoder = new TextEncoder();
  fc.assert(fc.property(fc.array(text, { maxLength: 10 }), (texts) => {
    const pieces = texts.map((text) => encodeUtf8(text));
    assertEquals(pieces, texts.map((text) => encoder.encode(text)));
  }));
});
