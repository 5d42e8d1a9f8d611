import { assert, assertEquals, assertInstanceOf, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FramingError } from "../../../socket/errors.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { lineCodec } from "../../../socket/codecs/line_codec.ts";
import { LineDecoder } from "../../../socket/codecs/line_decoder.ts";

const permissions = "none";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

interface Result {
  readonly lines: string[];
  readonly error: string | undefined;
}

/** All that a decoder makes of these chunks, as strings and as bytes: the frames, and the code of the error that ends them. */
function decode(chunks: readonly Uint8Array[], maxLine?: number): Result {
  const result = decodeStrings(chunks, maxLine);
  assertEquals(decodeLines(chunks, maxLine), result);
  return result;
}

/** The same as bytes, from memory that each chunk overwrites. */
function decodeLines(chunks: readonly Uint8Array[], maxLine: number | undefined): Result {
  const decoder = new LineDecoder(maxLine);
  const memory = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  const lines: string[] = [];
  for (const chunk of chunks) {
    memory.set(chunk);
    const before = lines.length;
    const count = decoder.pushLines(memory.subarray(0, chunk.length), {
      takeLine: (line) => void lines.push(line.text()),
    });
    assertEquals(count, lines.length - before);
    memory.fill(0xff);
    if (decoder.error !== undefined) return { lines, error: decoder.error.code };
  }
  return { lines, error: decoder.end()?.code };
}

function decodeStrings(chunks: readonly Uint8Array[], maxLine: number | undefined): Result {
  const decoder = new LineDecoder(maxLine);
  const lines: string[] = [];
  for (const chunk of chunks) {
    const { frames, error } = decoder.push(chunk);
    lines.push(...frames);
    if (error !== undefined) return { lines, error: error.code };
  }
  return { lines, error: decoder.end()?.code };
}

/** The same, said plainly: one line after the other, byte by byte. */
function reference(input: Uint8Array, maxLine: number): Result {
  const lines: string[] = [];
  let line: number[] = [];
  for (const byte of input) {
    if (byte === 10) {
      if (line.at(-1) === 13) line.pop();
      if (line.length > maxLine) return { lines, error: "line-too-long" };
      try {
        const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
        lines.push(decoder.decode(Uint8Array.from(line)));
      } catch {
        return { lines, error: "invalid-utf8" };
      }
      line = [];
    } else {
      line.push(byte);
      const content = line.at(-1) === 13 ? line.length - 1 : line.length;
      if (content > maxLine) return { lines, error: "line-too-long" };
    }
  }
  return { lines, error: line.length > 0 ? "unterminated" : undefined };
}

/** Every way to cut into two, and into three where that is not too many. */
function* cuts(input: Uint8Array): Iterable<Uint8Array[]> {
  for (let first = 0; first <= input.length; first++) {
    yield [input.subarray(0, first), input.subarray(first)];
    for (let second = first; second <= input.length; second++) {
      yield [input.subarray(0, first), input.subarray(first, second), input.subarray(second)];
    }
  }
}

const ALL_KINDS = "plain\n\r\n\nCRLF\r\nå 漢 😀 \u{1F468}\u200D\u{1F469}\na\rb\n\r\r\n\uFEFFmark\n";
const ALL_LINES = ["plain", "", "", "CRLF", "å 漢 😀 \u{1F468}\u200D\u{1F469}", "a\rb", "\r", "\uFEFFmark"];

Deno.test("LineDecoder.push() returns the same lines wherever the bytes are cut", { permissions }, () => {
  let ways = 0;
  for (const chunks of cuts(bytes(ALL_KINDS))) {
    assertEquals(decode(chunks), { lines: ALL_LINES, error: undefined });
    ways++;
  }
  assert(ways > 1500);
});

Deno.test("LineDecoder.push() returns the same lines byte by byte", { permissions }, () => {
  const chunks = [...bytes(ALL_KINDS)].map((byte) => Uint8Array.of(byte));
  assertEquals(decode(chunks), { lines: ALL_LINES, error: undefined });
});

Deno.test("LineDecoder.push() returns the frames of one chunk together", { permissions }, () => {
  assertEquals(new LineDecoder().push(bytes("a\nb\nc")).frames, ["a", "b"]);
});

for (const ending of ["\n", "\r\n"]) {
  const name = JSON.stringify(ending);
  Deno.test(`LineDecoder.push() enforces the limit to the byte before ${name}`, { permissions }, () => {
    for (const [length, error] of [[7, undefined], [8, undefined], [9, "line-too-long"]] as const) {
      const long = "x".repeat(length);
      for (const chunks of cuts(bytes(`ok\n${long}${ending}`))) {
        const lines = error === undefined ? ["ok", long] : ["ok"];
        assertEquals(decode(chunks, 8), { lines, error });
      }
    }
  });
}

Deno.test("LineDecoder.push() counts the limit in bytes, not characters", { permissions }, () => {
  assertEquals(decode([bytes("åååå\n")], 8), { lines: ["åååå"], error: undefined });
  assertEquals(decode([bytes("ååååå\n")], 8), { lines: [], error: "line-too-long" });
});

Deno.test(
  "LineDecoder.push() rejects a line as soon as it is too long, before its end",
  { permissions },
  () => {
    const decoder = new LineDecoder(8);
    assertEquals(decoder.push(bytes("12345678")), { frames: [] });
    // A ninth byte may be the CR of a CRLF, and nothing else.
    assertEquals(decoder.push(bytes("\r")), { frames: [] });
    assertEquals(decoder.push(bytes("\r")).error?.code, "line-too-long");
    assertEquals(decode([bytes("123456789")], 8).error, "line-too-long");
    assertEquals(decode([bytes("12345678\rx")], 8).error, "line-too-long");
  },
);

Deno.test(
  "LineDecoder.push() accepts many short lines in a chunk over the limit",
  { permissions },
  () => {
    const lines = Array.from({ length: 100 }, (_, i) => `${i}`);
    assertEquals(decode([bytes(lines.join("\n") + "\n")], 8), { lines, error: undefined });
  },
);

Deno.test(
  "LineDecoder.push() returns the good lines before invalid UTF-8, cut anywhere",
  { permissions },
  () => {
    const bad = [[0xff], [0xc3], [0xe2, 0x82], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]];
    for (const sequence of bad) {
      const input = join([bytes("good\nfine\nb"), Uint8Array.from(sequence), bytes("d\nnever\n")]);
      for (const chunks of cuts(input)) {
        assertEquals(decode(chunks), { lines: ["good", "fine"], error: "invalid-utf8" });
      }
    }
  },
);

Deno.test("LineDecoder.end() returns an error only when a line is unterminated", { permissions }, () => {
  assertEquals(decode([bytes("a\nb")]), { lines: ["a"], error: "unterminated" });
  assertEquals(decode([bytes("a\n\r")]), { lines: ["a"], error: "unterminated" });
  assertEquals(decode([bytes("a\n")]), { lines: ["a"], error: undefined });
  assertEquals(decode([]), { lines: [], error: undefined });
  const decoder = new LineDecoder();
  decoder.push(bytes("12345"));
  const error = decoder.end();
  assertInstanceOf(error, FramingError);
  assertEquals(error.message, "Input ended inside a line, 5 bytes after its start");
});

Deno.test("LineDecoder returns strings that survive the bytes that they came from", { permissions }, () => {
  const decoder = new LineDecoder();
  const buffer = bytes("first\npart");
  const { frames } = decoder.push(buffer);
  buffer.fill(0);
  assertEquals(frames, ["first"]);
  assertEquals(decoder.push(bytes("ial\n")).frames, ["partial"]);
});

Deno.test("LineDecoder agrees with a simple splitter on any bytes in any chunks", { permissions }, () => {
  const piece = fc.oneof(
    fc.constantFrom("\n", "\r\n", "\r", "å", "漢", "😀", "\uFEFF", "a", "bcd").map((text) => bytes(text)),
    fc.uint8Array({ maxLength: 3 }),
  );
  const input = fc.array(piece, { maxLength: 30 }).map(join);
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(input, sizes, fc.integer({ min: 1, max: 12 }), (all, lengths, maxLine) => {
      const chunks: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const length = lengths[turn % lengths.length]!;
        chunks.push(all.subarray(at, at + length));
        at += length;
      }
      assertEquals(decode(chunks, maxLine), reference(all, maxLine));
    }),
    { numRuns: 5000 },
  );
});

/** Bytes that a run copies, by whatever way one array gets into another. */
function countCopied(run: () => void): number {
  let copied = 0;
  const { set } = Uint8Array.prototype;
  Uint8Array.prototype.set = function (from: ArrayLike<number>, offset?: number): void {
    copied += from.length;
    set.call(this, from, offset);
  };
  try {
    run();
  } finally {
    Uint8Array.prototype.set = set;
  }
  return copied;
}

Deno.test("LineDecoder copies linearly in its input, one byte at a time", { permissions }, () => {
  const size = 60_000;
  const [one, lf] = [bytes("x"), bytes("\n")];
  const ways: Record<string, (decoder: LineDecoder, input: Uint8Array) => number> = {
    push: (decoder, input) => decoder.push(input).frames.length,
    pushLines: (decoder, input) =>
      decoder.pushLines(input, { takeLine: ({ length }) => assertEquals(length, size) }),
  };
  for (const [name, push] of Object.entries(ways)) {
    const decoder = new LineDecoder();
    const copied = countCopied(() => {
      for (let i = 0; i < size; i++) push(decoder, one);
      assertEquals(push(decoder, lf), 1, name);
    });
    // Each byte once when it comes, once when its line is joined, and by doubling less than twice more.
    assert(copied >= 2 * size, name);
    assertLessOrEqual(copied, 4 * size + 64, name);
  }
});

Deno.test("LineDecoder.push() does not copy a line that arrives in one piece", { permissions }, () => {
  const chunk = bytes("a line\n".repeat(1000));
  assertEquals(countCopied(() => new LineDecoder().push(chunk)), 0);
});

Deno.test(
  "LineDecoder.pushLines() finds the ends of long lines, and invalid bytes in them",
  { permissions },
  () => {
    for (const length of [62, 63, 64, 65, 66, 127, 128, 129, 1000]) {
      const long = "x".repeat(length);
      for (const ending of ["\n", "\r\n"]) {
        const input = bytes(`a\n${long}${ending}${long}å${ending}b${ending}`);
        const lines = ["a", long, `${long}å`, "b"];
        for (const cut of [0, 2, 64, 66, length, length + 2, length + 4, input.length]) {
          assertEquals(decode([input.subarray(0, cut), input.subarray(cut)]), { lines, error: undefined });
        }
      }
      const bad = join([bytes(`a\n${long}`), Uint8Array.of(0xff), bytes("\nb\n")]);
      assertEquals(decode([bad]), { lines: ["a"], error: "invalid-utf8" });
    }
  },
);

Deno.test("LineDecoder.pushLines() recognizes TLS, and only in the first bytes", { permissions }, () => {
  const hello = Uint8Array.of(0x16, 3, 1, 0, 5, 1, 10);
  assertEquals(decode([hello]), { lines: [], error: "tls" });
  assertEquals(decode([bytes("a\n"), hello]).lines[0], "a");
});

Deno.test("LineDecoder.pushLines() goes on where push() has stopped", { permissions }, () => {
  const decoder = new LineDecoder();
  assertEquals(decoder.push(bytes("auth x\nmess")).frames, ["auth x"]);
  const lines: string[] = [];
  const sink = { takeLine: (line: Line) => void lines.push(line.text()) };
  assertEquals(decoder.pushLines(bytes("age y\nok"), sink), 1);
  assertEquals(lines, ["message y"]);
  assertEquals(decoder.push(bytes(" z\n")).frames, ["ok z"]);
});

Deno.test("LineDecoder() throws for an invalid limit", { permissions }, () => {
  for (const maxLine of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new LineDecoder(maxLine), RangeError, `maxLine ${maxLine}`);
    assertThrows(() => lineCodec({ maxLine }), RangeError, `maxLine ${maxLine}`);
  }
});

Deno.test(
  "lineCodec() encoder joins pushed lines with LF, and then starts over",
  { permissions },
  () => {
    const encoder = lineCodec().encoder();
    assertEquals(encoder.size, 0);
    encoder.push("one");
    encoder.push("");
    encoder.push("å\r");
    assertEquals(encoder.size, 8);
    assertEquals(encoder.take(), bytes("one\n\nå\r\n"));
    assertEquals(encoder.size, 0);
    assertEquals(encoder.take(), new Uint8Array(0));
  },
);

Deno.test("lineCodec() encoder throws for a line feed, and keeps earlier lines", { permissions }, () => {
  const encoder = lineCodec().encoder();
  encoder.push("good");
  assertThrows(() => encoder.push("two\nlines"), TypeError, `"two\\nlines"`);
  assertEquals(encoder.take(), bytes("good\n"));
});

Deno.test("lineCodec() encoder keeps strings and lines that are bytes in order", { permissions }, () => {
  const line = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 5 }),
    fc.integer({ min: 40, max: 5000 }).map((length) => "å".repeat(length)),
  ).filter((text) => !text.includes("\n"));
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("push", "pushLine"), text: line }),
    fc.record({ do: fc.constantFrom("take", "takeInto"), text: fc.constant("") }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const encoder = lineCodec().encoder();
    const buffer = new Uint8Array(64 * 1024);
    let [expected, pending] = ["", ""];
    let encoded = "";
    for (const { do: what, text } of [...steps, { do: "take", text: "" }]) {
      if (what === "push") encoder.push(text);
      else if (what === "pushLine") encoder.pushLine!(Line.of(text));
      if (what.startsWith("push")) {
        expected += `${text}\n`;
        pending += `${text}\n`;
        assert(encoder.size >= pending.length);
        continue;
      }
      const count = what === "take" ? undefined : encoder.takeInto!(buffer);
      const taken = count === undefined ? encoder.take() : buffer.subarray(0, count);
      encoded += new TextDecoder("utf-8", { ignoreBOM: true }).decode(taken);
      assertEquals(encoder.size, 0);
      pending = "";
    }
    assertEquals(encoded, expected);
  }));
});
