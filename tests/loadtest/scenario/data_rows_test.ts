import { assertEquals, assertThrows } from "@std/assert";
import { assignRows, parseRows } from "../../../loadtest/scenario/data_rows.ts";

const permissions = "none";

Deno.test({
  name: "parseRows() reads CSV with quotes, line ends inside of quotes, and CRLF",
  permissions,
  fn: () => {
    assertEquals(parseRows("a.csv", '\uFEFFname,text\r\nann,"a, ""b""\nc"\r\n\r\nbob,\r\n'), [
      { name: "ann", text: 'a, "b"\nc' },
      { name: "bob", text: "" },
    ]);
    assertEquals(parseRows("a.csv", "name\nann"), [{ name: "ann" }]);
    const long = "x".repeat(20_000_000);
    assertEquals(parseRows("a.csv", `name\n"${long}"\n`)[0]?.name === long, true);
  },
});

Deno.test({
  name: "parseRows() reads NDJSON, with values other than text as JSON",
  permissions,
  fn: () => {
    assertEquals(parseRows("a.ndjson", '{"name":"ann","age":7}\n\n{"name":"bob","tags":["x"]}\n'), [
      { name: "ann", age: "7" },
      { name: "bob", tags: '["x"]' },
    ]);
  },
});

Deno.test({
  name: "parseRows() keeps numbers in NDJSON as they are written",
  permissions,
  fn: () => {
    const line = '{"id":12345678901234567890,"huge":1e999,"price":1.10,"nested":{"a":[1e2]}}';
    assertEquals(parseRows("a.ndjson", line), [
      { id: "12345678901234567890", huge: "1e999", price: "1.10", nested: '{"a":[1e2]}' },
    ]);
    assertThrows(() => parseRows("a.ndjson", "7"), SyntaxError, "line 1: expected an object");
  },
});

Deno.test({
  name: "parseRows() names the line that is not valid",
  permissions,
  fn: () => {
    for (
      const [name, text, message] of [
        ["a.csv", "", "expected a header row"],
        ["a.csv", "name,age\nann,1\nbob\n", "a.csv, line 3: expected 2 fields, got 1"],
        ["a.csv", 'name\n"ann', "line 2: misplaced quote"],
        ["a.csv", 'name\nan"n\n', "line 2: misplaced quote"],
        ["a.csv", "name,age,name\nann,1,bob\n", 'line 1: expected different columns, got "name" twice'],
        ["a.jsonl", '{"name":1}\nnope', "a.jsonl, line 2: not JSON"],
        ["a.jsonl", "[1]", "line 1: expected an object"],
      ] as const
    ) assertThrows(() => parseRows(name, text), SyntaxError, message);
  },
});

Deno.test({
  name: "assignRows() gives each client a row of its own, in an order that depends on the seed",
  permissions,
  fn: () => {
    const rows = Array.from({ length: 100 }, (_, index) => ({ id: String(index) }));
    const of = (seed: number) => rows.map((_, client) => assignRows(rows, { clients: 100, seed })(client).id);
    assertEquals(new Set(of(1)).size, 100);
    assertEquals(of(1), of(1));
    assertEquals(of(1).join() === of(2).join(), false);
    assertEquals(assignRows(rows, { clients: 250, seed: 1, reuse: true })(101).id, of(1)[1]);
    assertThrows(
      () => assignRows(rows, { clients: 101, seed: 1 }),
      RangeError,
      "The data has 100 rows for 101 clients",
    );
    assertThrows(() => assignRows([], { clients: 1, seed: 1, reuse: true }), RangeError, "0 rows");
  },
});
