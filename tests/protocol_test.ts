import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  decodeFrame,
  encodeFrame,
  escapeText,
  type Frame,
  ProtocolError,
  type ProtocolErrorCode,
  unescapeText,
  verbOf,
} from "../protocol.ts";

const permissions = "none";

/** Any JavaScript string, in which units with a meaning in the protocol are more frequent. */
const anyString = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom("\\", "\n", "\r", "n", "r", "u", "D", "8", "0", "\0", "😀", " ", "\u2028"),
    fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)),
  ),
  { maxLength: 20 },
).map((units) => units.join(""));

const anyFrame: fc.Arbitrary<Frame> = fc.record({
  verb: fc.constantFrom("message", "ok", "error", "auth"),
  text: anyString,
});

/** Texts built from what the wire format allows, and from what it forbids. */
const anyWire = fc.array(
  fc.constantFrom(
    "\\",
    "\\\\",
    "\\n",
    "\\r",
    "\\uD800",
    "\\uDC00",
    "\\uD83D",
    "\\uDE00",
    "u",
    "n",
    "D800",
    "😀",
    "a",
  ),
  { maxLength: 8 },
).map((pieces) => pieces.join(""));

function codeOf(run: () => unknown): ProtocolErrorCode {
  return assertThrows(run, ProtocolError).code;
}

Deno.test("decodeFrame() reverses encodeFrame() for any string", { permissions }, () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      assertEquals(decodeFrame(encodeFrame(frame)), frame);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("encodeFrame() returns one line of well-formed text for any string", { permissions }, () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const line = encodeFrame(frame);
      assertFalse(/[\n\r]/.test(line));
      assert(line.isWellFormed());
      assertEquals(new TextDecoder().decode(new TextEncoder().encode(line)), line);
    }),
    { numRuns: 5000 },
  );
});

Deno.test(
  "unescapeText() accepts exactly the spelling that escapeText() returns",
  { permissions },
  () => {
    let taken = 0;
    fc.assert(
      fc.property(anyWire, (wire) => {
        let text: string;
        try {
          text = unescapeText(wire);
        } catch (error) {
          assert(error instanceof ProtocolError);
          return;
        }
        taken++;
        assertStrictEquals(escapeText(text), wire);
      }),
      { numRuns: 5000 },
    );
    assert(taken > 100, `${taken} were taken`);
  },
);

Deno.test(
  "escapeText() returns other text unchanged",
  { permissions },
  () => {
    for (const text of ["", "hello world", "tab\t nul\0 bell\x07", "😀 漢 å", "\u2028\uFEFF", "\u{10FFFF}"]) {
      assertStrictEquals(escapeText(text), text);
      assertStrictEquals(unescapeText(text), text);
    }
  },
);

Deno.test("escapeText() escapes backslash, line breaks, and lone surrogates", { permissions }, () => {
  const spellings: [string, string][] = [
    ["\\", "\\\\"],
    ["\n", "\\n"],
    ["\r", "\\r"],
    ["\\n", "\\\\n"],
    ["\uD800", "\\uD800"],
    ["\uDFFF", "\\uDFFF"],
    ["\uDE00\uD83D", "\\uDE00\\uD83D"], // the halves of an emoji in reverse order
    ["\uD83D😀\uDE00", "\\uD83D😀\\uDE00"],
    ["\\uD800", "\\\\uD800"],
  ];
  for (const [text, wire] of spellings) {
    assertStrictEquals(escapeText(text), wire);
    assertStrictEquals(unescapeText(wire), text);
  }
});

Deno.test("unescapeText() throws for an unknown escape", { permissions }, () => {
  const shown: [string, string][] = [
    ["\\q", "\\q"],
    ["a\\", "\\"],
    ["\\N", "\\N"],
    ["\\u0041", "\\u0041"],
    ["\\ud800", "\\ud800"],
    ["\\uD8", "\\uD8"],
    ["\\uE000", "\\uE000"],
    ["\\\\u and \\u0042", "\\u0042"], // an escaped backslash before a u does not begin one
    ["\\😀", "\\😀"],
    ["\\\n", "\\\n"],
  ];
  for (const [wire, sequence] of shown) {
    const error = assertThrows(
      () => unescapeText(wire),
      ProtocolError,
      `Cannot decode escape ${sequence}: expected`,
    );
    assertEquals(error.code, "bad-escape");
  }
});

Deno.test(
  "unescapeText() throws for an unescaped character, and for an escaped surrogate pair",
  { permissions },
  () => {
    for (const wire of ["a\nb", "a\r", "\uD800", "\\uD83D\\uDE00"]) {
      assertEquals(codeOf(() => unescapeText(wire)), "not-escaped");
    }
    assertThrows(
      () => unescapeText("\\uD83D\\uDE00"),
      ProtocolError,
      'Cannot decode "\\\\uD83D\\\\uDE00": expected the spelling "😀"',
    );
  },
);

Deno.test("verbOf() returns the verb of a line with any text", { permissions }, () => {
  for (const verb of ["message", "ok", "error", "auth"] as const) {
    for (const text of ["", "a b", " two spaces", "\\q", "ok "]) {
      assertEquals(verbOf(`${verb} ${text}`), verb);
    }
  }
});

Deno.test("verbOf() throws for a verb without its space", { permissions }, () => {
  for (const verb of ["message", "ok", "error", "auth"]) {
    const error = assertThrows(() => verbOf(verb), ProtocolError, `Verb ${verb} without its space`);
    assertEquals(error.code, "no-text");
  }
});

Deno.test(
  "verbOf() throws for an unknown verb and shows only its beginning",
  { permissions },
  () => {
    for (
      const line of ["", " ", " message x", "Message x", "messages x", "oke", "OK x", "ok\tx", "toString x"]
    ) {
      assertEquals(codeOf(() => verbOf(line)), "unknown-verb");
    }
    assertThrows(
      () => verbOf("hello world"),
      ProtocolError,
      'Unknown verb "hello": expected message, ok, error, auth',
    );
    const { message } = assertThrows(() => verbOf("x".repeat(60_000)), ProtocolError);
    assert(message.length < 120, message);
  },
);

Deno.test("decodeFrame() either returns a frame or throws a ProtocolError", { permissions }, () => {
  const anyLine = fc.oneof(
    anyString,
    anyWire.map((wire) => `message ${wire}`),
    anyString.map((text) => `ok ${text}`),
  );
  fc.assert(
    fc.property(anyLine, (line) => {
      let frame: Frame;
      try {
        frame = decodeFrame(line);
      } catch (error) {
        assert(error instanceof ProtocolError);
        return;
      }
      assertStrictEquals(encodeFrame(frame), line);
    }),
    { numRuns: 5000 },
  );
});
