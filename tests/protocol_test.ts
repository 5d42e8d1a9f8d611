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

/** Any JavaScript string: UTF-16 units as they come, and those that mean something here more often. */
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

/** Texts that might be the wire's: built from what it may hold, and what it must not. */
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

Deno.test("decodeFrame() gives back what encodeFrame() was given, for any string", { permissions }, () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      assertEquals(decodeFrame(encodeFrame(frame)), frame);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("encodeFrame() writes one line of well-formed text, whatever the string", { permissions }, () => {
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
  "escapeText() has one spelling for each string: unescapeText() takes no other",
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
  "escapeText() leaves text without a backslash, LF, CR or lone surrogate as it is",
  { permissions },
  () => {
    for (const text of ["", "hello world", "tab\t nul\0 bell\x07", "😀 漢 å", "\u2028\uFEFF", "\u{10FFFF}"]) {
      assertStrictEquals(escapeText(text), text);
      assertStrictEquals(unescapeText(text), text);
    }
  },
);

Deno.test("escapeText() spells what must be escaped", { permissions }, () => {
  const spellings: [string, string][] = [
    ["\\", "\\\\"],
    ["\n", "\\n"],
    ["\r", "\\r"],
    ["\\n", "\\\\n"],
    ["\uD800", "\\uD800"],
    ["\uDFFF", "\\uDFFF"],
    ["\uDE00\uD83D", "\\uDE00\\uD83D"], // the halves of an emoji the wrong way round
    ["\uD83D😀\uDE00", "\\uD83D😀\\uDE00"],
    ["\\uD800", "\\\\uD800"],
  ];
  for (const [text, wire] of spellings) {
    assertStrictEquals(escapeText(text), wire);
    assertStrictEquals(unescapeText(wire), text);
  }
});

Deno.test("unescapeText() refuses an escape that the protocol does not have", { permissions }, () => {
  const shown: [string, string][] = [
    ["\\q", "\\q"],
    ["a\\", "\\"],
    ["\\N", "\\N"],
    ["\\u0041", "\\u0041"],
    ["\\ud800", "\\ud800"],
    ["\\uD8", "\\uD8"],
    ["\\uE000", "\\uE000"],
    ["\\\\u and \\u0042", "\\u0042"], // an escaped backslash before a u is no such escape
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
  "unescapeText() refuses what must have been escaped, and a pair that must not",
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

Deno.test("verbOf() tells what a line is, whatever its text", { permissions }, () => {
  for (const verb of ["message", "ok", "error", "auth"] as const) {
    for (const text of ["", "a b", " two spaces", "\\q", "ok "]) {
      assertEquals(verbOf(`${verb} ${text}`), verb);
    }
  }
});

Deno.test("verbOf() refuses a verb without its space", { permissions }, () => {
  for (const verb of ["message", "ok", "error", "auth"]) {
    const error = assertThrows(() => verbOf(verb), ProtocolError, `Verb ${verb} without its space`);
    assertEquals(error.code, "no-text");
  }
});

Deno.test(
  "verbOf() refuses an unknown verb, and shows no more of it than it must",
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

Deno.test("decodeFrame() never gives anything but a frame or a ProtocolError", { permissions }, () => {
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
