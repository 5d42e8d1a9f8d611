import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { type IndexEntry, MessageIndex } from "../../../relay/router/message_index.ts";
import { Line } from "../../../socket/codecs/line.ts";

const permissions = "none";

class Entry implements IndexEntry<Entry> {
  inBucket: Entry | undefined = undefined;
  readonly text: string;
  readonly hash: number;

  constructor(text: string, hash: number) {
    this.text = text;
    this.hash = hash;
  }

  key(): string {
    return this.text;
  }

  isText(line: Line, start: number): boolean {
    return line.text(start) === this.text;
  }
}

Deno.test("MessageIndex.hash() depends only on the text", { permissions }, () => {
  const anyText = fc.string({ maxLength: 100, unit: "binary" }).filter((text) => !text.includes("\n"));
  fc.assert(fc.property(anyText, fc.integer(), (text, seed) => {
    const table = new MessageIndex(seed);
    assertEquals(table.hash(Line.of(`message ${text}`), 8), table.hash(Line.of(`ok ${text}`), 3));
  }));
});

Deno.test(
  "MessageIndex.hash() differs for any changed byte and for each seed",
  { permissions },
  () => {
    const table = new MessageIndex(5);
    const text = Line.of("x".repeat(40_000));
    for (const i of [0, 1, 16_383, 20_000, 39_999]) {
      const changed = new Line(text.bytes.with(i, 0x79));
      assertNotEquals(table.hash(text, 0), table.hash(changed, 0));
    }
    assertNotEquals(table.hash(text, 0), table.hash(text, 1));
    assertNotEquals(table.hash(text, 0), new MessageIndex(6).hash(text, 0));
    const numbers = new Set(Array.from({ length: 10_000 }, (_, i) => table.hash(Line.of(`${i}`), 0)));
    assertEquals(numbers.size, 10_000);
  },
);

Deno.test("MessageIndex behaves as a map when hashes collide", { permissions }, () => {
  // Few of either, so that texts come again and hashes are shared; a text always has the same one.
  const texts = ["a", "b", "c", "d", "e", "f"].map((text, i) => ({ text, hash: i % 2 }));
  const step = fc.record({
    do: fc.constantFrom("add", "replace", "delete"),
    text: fc.constantFrom(...texts),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 50, size: "max" }), (steps) => {
    const table = new MessageIndex<Entry>(0);
    const model = new Map<string, Entry>();
    for (const { do: what, text: { text, hash } } of steps) {
      const there = model.get(text);
      const entry = new Entry(text, hash);
      if (there === undefined) {
        table.add(entry);
        model.set(text, entry);
      } else if (what === "replace") {
        table.replace(there, entry);
        model.set(text, entry);
      } else if (what === "delete") {
        table.delete(there);
        model.delete(text);
      }
      assertEquals(table.size, model.size);
      for (const { text, hash } of texts) {
        assertStrictEquals(table.get(Line.of(text), 0, hash), model.get(text));
      }
    }
  }));
});
