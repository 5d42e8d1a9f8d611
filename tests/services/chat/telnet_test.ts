import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { telnetCodec, type TelnetFrame } from "../../../services/chat/telnet.ts";
import { pure } from "../../_util/permissions.ts";

const [IAC, DONT, DO, WONT, WILL, SB, SE, IP] = [255, 254, 253, 252, 251, 250, 240, 244];
const codec = telnetCodec({ maxLine: 100 });

type Part = string | readonly (number | undefined)[];

function bytes(...parts: readonly Part[]): Uint8Array {
  const encoder = new TextEncoder();
  return Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : part.map((byte) => byte!)),
  );
}

/** Decodes input in pieces of a size; answers to options are sorted before lines, because pieces change their order. */
function decode(
  input: Uint8Array,
  size = input.length,
): { lines: TelnetFrame[]; answers: number[][]; error?: string } {
  const decoder = codec.decoder();
  const lines: string[] = [];
  const answers: number[][] = [];
  for (let at = 0; at < input.length; at += size) {
    const reused = input.slice(at, at + size);
    const { frames, error } = decoder.push(reused);
    reused.fill(0xee);
    for (const frame of frames) {
      if (typeof frame === "string") lines.push(frame);
      else answers.push([...frame]);
    }
    if (error) return { lines, answers, error: error.code };
  }
  const end = decoder.end();
  return end ? { lines, answers, error: end.code } : { lines, answers };
}

function assertDecodes(input: Uint8Array, lines: string[], answers: (number | undefined)[][] = []): void {
  for (const size of [1, 2, 3, input.length]) {
    assertEquals<unknown>(decode(input, size), { lines, answers }, `in pieces of ${size}`);
  }
}

Deno.test("telnetCodec() decodes lines of UTF-8 when there are no commands", pure, () => {
  assertDecodes(bytes("ann\r\nJos\u00e9 \ud83d\ude00\nlast\r\n"), ["ann", "Jos\u00e9 \ud83d\ude00", "last"]);
});

Deno.test("telnetCodec() refuses every option once, and answers no refusal", pure, () => {
  assertDecodes(
    bytes([IAC, WILL, 31, IAC, DO, 6], "an", [IAC, WONT, 1, IAC, DONT, 3], "n\r\n"),
    ["ann"],
    [[IAC, DONT, 31], [IAC, WONT, 6]].map((answer) => answer.map((byte) => byte)),
  );
});

Deno.test("telnetCodec() skips other commands and subnegotiations", pure, () => {
  // What ^C sends, a terminal type with an escaped 255 inside, and a window size.
  assertDecodes(
    bytes("he", [IAC, IP], "ll", [IAC, SB, 24, 0, 10, 13, IAC, IAC, 65, IAC, SE], "o\r\n", [
      IAC,
      SB,
      31,
      0,
      80,
      0,
      24,
      IAC,
      SE,
    ]),
    ["hello"],
  );
});

Deno.test("telnetCodec() ends a line at CR NUL", pure, () => {
  assertDecodes(bytes("one\r\0two\r\n"), ["one", "two"]);
  assertDecodes(bytes("a\0b\r\n"), ["a\0b"]);
});

Deno.test("telnetCodec() reports invalid UTF-8 when a 255 is escaped", pure, () => {
  for (const size of [1, 5]) assertEquals(decode(bytes("a\n", [IAC, IAC], "\n"), size).error, "invalid-utf8");
});

Deno.test("telnetCodec() limits lines, not commands", pure, () => {
  const commands = Array(1000).fill([IAC, IP]).flat();
  assertDecodes(bytes("x".repeat(100), commands, "\r\n"), ["x".repeat(100)]);
  assertEquals(decode(bytes("x".repeat(101), commands)).error, "line-too-long");
});

Deno.test("telnetCodec() decodes any bytes the same in any pieces", pure, () => {
  const byte = fc.oneof(fc.constantFrom(IAC, DO, WILL, SB, SE, 0, 10, 13, 65), fc.nat({ max: 255 }));
  fc.assert(fc.property(fc.array(byte, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (input, size) => {
    const whole = decode(Uint8Array.from(input.map((one) => one!)));
    const cut = decode(Uint8Array.from(input.map((one) => one!)), size);
    assertEquals(cut.lines, whole.lines);
    assertEquals(cut.error, whole.error);
    // Those after an error do not count.
    if (!whole.error) assertEquals(cut.answers, whole.answers);
  }));
});

Deno.test("telnetCodec() encodes lines and raw bytes in order", pure, () => {
  const encoder = codec.encoder();
  encoder.push("one");
  encoder.push(Uint8Array.of(255, 254, 1));
  encoder.push("two");
  assertEquals(encoder.size, 11);
  assertEquals(encoder.take(), bytes("one\n", [255, 254, 1], "two\n"));
  assertEquals(encoder.size, 0);
  encoder.push("three");
  assertEquals(encoder.take(), bytes("three\n"));
});
