import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  createPayload,
  formatPayload,
  parsePayload,
  type PayloadSpec,
} from "../../../loadtest/plan/payload.ts";
import { escapeText } from "../../../protocol.ts";
import { Line } from "../../../socket/codecs/line.ts";
import { pure } from "../../_util/permissions.ts";

Deno.test("parsePayload() and formatPayload() agree", pure, () => {
  const specs: readonly PayloadSpec[] = [
    { type: "short" },
    { type: "mixed" },
    { type: "size", bytes: 1024 },
    { type: "file", path: "a:b" },
  ];
  for (const spec of specs) assertEquals(parsePayload(formatPayload(spec)), spec);
  assertEquals(parsePayload("size:1KiB"), { type: "size", bytes: 1024 });
  for (const spec of ["", "long", "file:", "size"]) {
    assertThrows(() => parsePayload(spec), TypeError, `"${spec}"`);
  }
});

/** One payload of each kind. */
const SPECS: readonly PayloadSpec[] = [
  { type: "short" },
  { type: "mixed" },
  { type: "size", bytes: 16 },
  { type: "file", path: "lines.txt" },
];

Deno.test("createPayload() returns a unique text per message, and finds it again", pure, () => {
  const lines = ["a line", "a line", "", "one with #3 in it", "#7"];
  for (const spec of SPECS) {
    const clients = 3000;
    const payload = createPayload(spec, { seed: 5, clients, lines });
    const texts = Array.from({ length: clients }, (_, index) => payload.text(index));
    assertEquals(new Set(texts).size, clients);
    texts.forEach((text, index) => assertEquals(payload.find(text), index));
    assertEquals(payload.find(payload.text(1) + " "), undefined);
    assertEquals(payload.find(`hello #${clients}`), undefined);
    assertEquals(payload.find("hello"), undefined);
  }
});

Deno.test("createPayload().findLine() finds in a line what find() finds in its text", pure, () => {
  const lines = ["a line", "", "back\\slash", "#7"];
  for (const spec of SPECS) {
    const clients = 300;
    const payload = createPayload(spec, { seed: 5, clients, lines });
    const others = [
      "",
      "#",
      "hello #",
      "hello #01",
      "hello #00",
      "hello #1 ",
      "hello #300",
      "hello #1:",
      "hello #9/",
    ];
    const texts = [...Array.from({ length: clients }, (_, index) => payload.text(index)), ...others];
    for (const text of [...texts, `hello #${2 ** 32}`, `hello #${"1".repeat(400)}`]) {
      const start = "message ".length;
      const bytes = new TextEncoder().encode(`##message ${escapeText(text)}##`);
      const line = new Line(bytes, 2, bytes.length - 2); // In the midst of other bytes.
      assertEquals(payload.findLine(line, start), payload.find(text), text);
    }
  }
});

Deno.test("createPayload().find() returns undefined when a text is not in the plan", pure, () => {
  const payload = createPayload({ type: "short" }, { seed: 1, clients: 50 });
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const index = payload.find(text);
    if (index !== undefined) assertEquals(payload.text(index), text);
  }));
  for (const text of ["", "#", "hello #01", "hello #1 ", "hello #1.0", "hello #00000000001"]) {
    assertEquals(payload.find(text), undefined);
  }
});

Deno.test(
  "createPayload() returns every awkward string when mixed, and the empty one once",
  pure,
  () => {
    const payload = createPayload({ type: "mixed" }, { seed: 2, clients: 5000 });
    const texts = Array.from({ length: 5000 }, (_, index) => payload.text(index));
    assertEquals(texts.filter((text) => text === "").length, 1);
    const wanted: Readonly<Record<string, (text: string) => boolean>> = {
      newline: (text) => text.includes("\n"),
      "ends in CR": (text) => text.endsWith("\r"),
      "ends in backslash": (text) => text.endsWith("\\"),
      "lone high surrogate at the end": (text) => /[\ud800-\udbff]$/.test(text) && !text.isWellFormed(),
      "lone low surrogate first": (text) => /^[\udc00-\udfff]/.test(text),
      emoji: (text) => text.includes("👩‍🚀"),
      NUL: (text) => text.includes("\0"),
      BOM: (text) => text.startsWith("\ufeff"),
      "word of the protocol": (text) => text.startsWith("ok "),
      "60 KiB": (text) => text.length >= 60 * 1024,
    };
    for (const [name, holds] of Object.entries(wanted)) assertGreater(texts.filter(holds).length, 0, name);
    const longest = Math.max(
      ...texts.map((text) => new TextEncoder().encode(`message ${escapeText(text)}`).length),
    );
    assert(longest <= 64 * 1024);
  },
);

Deno.test(
  "createPayload() returns texts of exactly the size, and throws when it is too small or too large",
  pure,
  () => {
    const payload = createPayload({ type: "size", bytes: 1024 }, { seed: 1, clients: 1000 });
    assertEquals(new TextEncoder().encode(payload.text(999)).length, 1024);
    const small: PayloadSpec = { type: "size", bytes: 3 };
    assertEquals(createPayload(small, { seed: 1, clients: 100 }).text(99), "#99");
    assertThrows(() => createPayload(small, { seed: 1, clients: 101 }), RangeError, "at least 4 bytes");
    const large: PayloadSpec = { type: "size", bytes: 64 * 1024 * 1024 + 1 };
    assertThrows(() => createPayload(large, { seed: 1, clients: 1 }), RangeError, "at most 64MiB");
  },
);

Deno.test("createPayload() throws when the file has no lines", pure, () => {
  assertThrows(
    () => createPayload({ type: "file", path: "empty.txt" }, { seed: 1, clients: 1, lines: [] }),
    RangeError,
    "empty.txt: it is empty",
  );
});
