import { assertEquals, assertThrows } from "@std/assert";
import { ItemStore, MAX_ID, StoreFullError } from "../../../services/http/item_store.ts";
import { pure } from "../../_util/permissions.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (json: Uint8Array | undefined) => json && new TextDecoder().decode(json);

/** Returns the items that are left of a list. */
function rest(entries: Iterable<readonly [number, Uint8Array]>): (readonly [number, string | undefined])[] {
  return [...entries].map(([id, json]) => [id, text(json)]);
}

Deno.test("ItemStore.write() keeps the JSON text, so that no number changes", pure, () => {
  const store = new ItemStore();
  for (
    const json of [
      "1e999",
      "-1e-999",
      "12345678901234567890",
      "0.1000000000000000055511151231257827",
      "-0",
      '{"a": 1.0, "a":2}',
      '"\\ud800\\u0041"',
      "[".repeat(50_000) + "]".repeat(50_000),
    ]
  ) {
    const { id } = store.write(undefined, bytes(json));
    assertEquals(text(store.read(id)), json);
  }
});

Deno.test("ItemStore.write() removes the white space and the byte order mark around a value", pure, () => {
  const store = new ItemStore();
  const { id } = store.write(undefined, bytes('\ufeff \t\r\n[1, 2]\n"'.slice(0, -1)));
  assertEquals([text(store.read(id)), store.stats().storedBytes], ["[1, 2]", 6]);
});

Deno.test("ItemStore.write() throws a SyntaxError when the body is not JSON in UTF-8", pure, () => {
  const store = new ItemStore();
  for (const body of ["", " ", "{", "1 2", "01", "NaN", "'a'", "\ufeff", "[".repeat(100_000)]) {
    assertThrows(() => store.write(undefined, bytes(body)), SyntaxError, "Body is not JSON in UTF-8");
  }
  assertThrows(() => store.write(undefined, Uint8Array.of(0x22, 0xff, 0x22)), SyntaxError);
  assertEquals(store.stats().items, 0);
});

Deno.test("ItemStore.write() keeps no more memory than the value needs", pure, () => {
  const store = new ItemStore();
  const large = new Uint8Array(1024 * 1024);
  large[0] = 0x31;
  const { id } = store.write(undefined, large.subarray(0, 1));
  assertEquals(store.read(id)?.buffer.byteLength, 1);
});

Deno.test("ItemStore.write() chooses a free id when the largest id is taken", pure, () => {
  const store = new ItemStore();
  store.write(MAX_ID, bytes("0"));
  const ids = [1, 2, 3].map((value) => store.write(undefined, bytes(`${value}`)).id);
  assertEquals(ids, [1, 2, 3]);
  store.write(MAX_ID, bytes("4"));
  store.delete(2);
  assertEquals(store.write(undefined, bytes("5")).id, 4);
  store.write(MAX_ID - 1, bytes("6"));
  store.delete(MAX_ID);
  assertEquals(store.write(undefined, bytes("7")).id, 5);
  for (const [id] of store.entries()) assertEquals(Number.isSafeInteger(id) && id <= MAX_ID, true);
});

Deno.test("ItemStore.write() uses no id twice as long as there are others", pure, () => {
  const store = new ItemStore();
  store.delete(store.write(undefined, bytes("1")).id);
  assertEquals(store.write(undefined, bytes("2")).id, 2);
  store.delete(store.write(100, bytes("3")).id);
  assertEquals(store.write(undefined, bytes("4")).id, 101);
  assertEquals(store.write(MAX_ID - 1, bytes("5")).id, MAX_ID - 1);
  assertEquals(store.write(undefined, bytes("6")).id, MAX_ID);
});

Deno.test("ItemStore.write() enforces its limits exactly", pure, () => {
  const store = new ItemStore({ maxItems: 2, maxStore: 10 });
  store.write(1, bytes('"345"'));
  assertThrows(() => store.write(2, bytes('"3456"')), StoreFullError, "11 bytes with this item (limit 10)");
  store.write(2, bytes('"345"'));
  assertThrows(() => store.write(3, bytes("1")), StoreFullError, "2 items (limit 2)");
  assertThrows(() => store.write(undefined, bytes("1")), StoreFullError);
  assertThrows(() => store.write(1, bytes('"3456"')), StoreFullError);
  assertEquals(store.stats(), { items: 2, maxItems: 2, storedBytes: 10, maxStore: 10 });
  store.write(1, bytes("1"));
  store.write(2, bytes('"3456789"'));
  assertEquals(store.stats().storedBytes, 10);
  assertEquals([store.delete(2), store.delete(2)], [true, false]);
  assertEquals(store.stats(), { items: 1, maxItems: 2, storedBytes: 1, maxStore: 10 });
});

Deno.test("ItemStore.checkRoom() throws when an item of that size has no room", pure, () => {
  const store = new ItemStore({ maxStore: 10 });
  store.write(1, bytes('"3456"'));
  store.checkRoom(2, 4);
  store.checkRoom(1, 10);
  assertThrows(() => store.checkRoom(2, 5), StoreFullError);
  assertThrows(() => store.checkRoom(undefined, 5), StoreFullError);
  assertThrows(() => store.checkRoom(1, 11), StoreFullError);
});

Deno.test(
  "ItemStore.entries() yields items as they are when their turn comes, and no newer ones",
  pure,
  () => {
    const store = new ItemStore();
    for (const id of [5, 3, 4, 9]) store.write(id, bytes(`${id}`));
    const entries = store.entries();
    assertEquals(text(entries.next().value?.[1]), "5");
    store.write(4, bytes('"changed"'));
    store.delete(3);
    store.delete(9);
    store.write(9, bytes('"new"'));
    store.write(1, bytes('"new"'));
    assertEquals(rest(entries), [[4, '"changed"']]);
    assertEquals(rest(store.entries()).map(([id]) => id), [5, 4, 9, 1]);
  },
);

Deno.test("ItemStore.entries() ends although items are created while it is read", pure, () => {
  const store = new ItemStore();
  store.write(undefined, bytes("0"));
  let seen = 0;
  for (const [id] of store.entries()) {
    seen++;
    store.write(undefined, bytes("0"));
    store.delete(id);
  }
  assertEquals(seen, 1);
});
