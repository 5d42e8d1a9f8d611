import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { type HashEntry, HashTable } from "../../../relay/router/hash_table.ts";

const permissions = "none";

class Entry implements HashEntry<Entry> {
  readonly hash: number;
  inBucket: Entry | undefined = undefined;

  constructor(hash: number) {
    this.hash = hash;
  }
}

Deno.test("HashTable behaves as a map", { permissions }, () => {
  const key = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.integer());
  const step = fc.record({ do: fc.constantFrom("add", "replace", "delete"), key });
  fc.assert(fc.property(fc.integer(), fc.array(step, { maxLength: 400, size: "max" }), (seed, steps) => {
    const table = new HashTable<Entry>(seed);
    const model = new Map<number, Entry>();
    for (const { do: what, key } of steps) {
      const there = model.get(key);
      const entry = new Entry(key);
      if (what === "add") {
        assertEquals(table.add(entry), there === undefined);
        if (there === undefined) model.set(key, entry);
      } else if (what === "replace") {
        assertEquals(table.replace(there ?? entry, entry), there !== undefined);
        if (there !== undefined) model.set(key, entry);
      } else {
        assertEquals(table.delete(there ?? entry), there !== undefined);
        model.delete(key);
      }
      assertEquals(table.size, model.size);
      assertStrictEquals(table.get(key), model.get(key));
    }
    for (const [key, entry] of model) assertStrictEquals(table.get(key), entry);
  }));
});

Deno.test("HashTable keeps every entry while it grows and shrinks", { permissions }, () => {
  const table = new HashTable<Entry>(7);
  const entries = Array.from({ length: 10_000 }, (_, i) => new Entry(Math.imul(i, 0x01000193)));
  for (const entry of entries) assertEquals(table.add(entry), true);
  const isThere = (entry: Entry): boolean => table.get(entry.hash) === entry;
  assertEquals(entries.every(isThere), true);
  while (entries.length > 0) {
    assertEquals(table.delete(entries.pop()!), true);
    assertEquals(table.size, entries.length);
    if (entries.length % 500 === 0) assertEquals(entries.every(isThere), true);
  }
});

Deno.test("HashTable keeps buckets short for keys of one pattern", { permissions }, () => {
  // Keys that differ in a few bits only, wherever these are.
  for (const shift of [0, 8, 16, 20]) {
    const table = new HashTable<Entry>(99);
    const entries = Array.from({ length: 4096 }, (_, i) => new Entry(i << shift));
    for (const entry of entries) table.add(entry);
    let longest = 0;
    for (const entry of entries) {
      let length = 0;
      for (let other: Entry | undefined = entry; other !== undefined; other = other.inBucket) length++;
      longest = Math.max(longest, length);
    }
    assertEquals(longest < 32, true, `${longest} entries in a bucket`);
  }
});
