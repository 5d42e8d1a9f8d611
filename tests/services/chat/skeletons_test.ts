import { assert, assertEquals } from "@std/assert";
import { NameMap } from "../../../services/chat/name_map.ts";
import { skeletonsOf } from "../../../services/chat/skeletons.ts";

const pairs = [
  ["ann", "\u0430nn"], // Cyrillic a
  ["pear", "\u0440e\u0430r"],
  ["bill", "biIl"],
  ["bill", "BiIl"],
  ["bill", "B\u0406LL"], // Ukrainian I
  ["bill", "bi11"],
  ["bob0", "bobO"],
  ["mom", "rnorn"],
  ["scope", "\u0455\u0441\u043e\u0440\u0435"],
] as const;

Deno.test("NameMap.lookAlike() returns the name that another one looks like", () => {
  for (const [name, alike] of pairs) {
    const names = new NameMap<number>(skeletonsOf);
    names.set(name, 1);
    assertEquals(names.lookAlike(alike), name, alike);
    assertEquals([names.has(alike), names.get(alike)], [false, undefined]);
    names.delete(name);
    assertEquals(names.lookAlike(alike), undefined);
  }
});

Deno.test("NameMap.lookAlike() returns undefined when names differ visibly or are the same", () => {
  const names = new NameMap<string>(skeletonsOf);
  const all = ["ann", "bob", "Jos\u00e9", "guest1", "guest2", "guest10", "guest11"];
  for (const name of all) names.set(name, name);
  for (const name of [...all, "ANN", "\uff41nn", "Jose\u0301", "dan", "jose", "guest3"]) {
    assertEquals(names.lookAlike(name), undefined, name);
  }
  assert(names.has("ANN") && names.has("Jose\u0301"));
  assertEquals(names.size, all.length);
  names.set("Ann", "again");
  assertEquals([names.size, names.get("ann")], [all.length, "again"]);
});
