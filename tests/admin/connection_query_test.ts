import { assertEquals, assertThrows } from "@std/assert";
import type { ConnectionRow } from "../../admin/connection_directory.ts";
import { formatConnectionQuery, parseConnectionQuery, selectPage } from "../../admin/connection_query.ts";
import { pure } from "../_util/permissions.ts";

function row(id: number, values: Partial<ConnectionRow> = {}): ConnectionRow {
  return {
    id,
    address: `10.0.0.${id}:1`,
    since: 0,
    idle: 0,
    bytesIn: 0,
    bytesOut: 0,
    linesIn: 0,
    linesOut: 0,
    pending: 0,
    queued: 0,
    ...values,
  };
}

const ROWS = [row(3, { idle: 5000, queued: 7 }), row(1, { idle: 900 }), row(2, { idle: 5000, queued: 1 })];

function idsFor(query: string): number[] {
  return selectPage(ROWS, parseConnectionQuery(new URLSearchParams(query))).page.map(({ id }) => id);
}

Deno.test("selectPage() sorts, filters, and pages", pure, () => {
  assertEquals(idsFor(""), [1, 2, 3]);
  assertEquals(idsFor("order=desc"), [3, 2, 1]);
  assertEquals(idsFor("sort=idle"), [2, 3, 1]);
  assertEquals(idsFor("sort=queued"), [3, 2, 1]);
  assertEquals(idsFor("sort=queued&order=asc"), [1, 2, 3]);
  assertEquals(idsFor("sort=queued&limit=1"), [3]);
  assertEquals(idsFor("sort=queued&limit=1&offset=1"), [2]);
  assertEquals(idsFor("offset=3"), []);
  assertEquals(idsFor("min_idle=1s"), [2, 3]);
  assertEquals(idsFor("address=0.2"), [2]);
  assertEquals(idsFor("id=3"), [3]);
  const query = parseConnectionQuery(new URLSearchParams("min_idle=1s&limit=1"));
  assertEquals(selectPage(ROWS, query).matched, 2);
});

Deno.test("parseConnectionQuery() rejects unknown parameters, and names what it accepts", pure, () => {
  const reject = (query: string, message: string) =>
    assertThrows(() => parseConnectionQuery(new URLSearchParams(query)), RangeError, message);
  reject("sort=size", 'Cannot use sort "size": expected id, address, since, idle');
  reject("state=all", 'Cannot use state "all": expected open, closed');
  reject("limit=10001", 'Cannot use limit "10001": expected an integer from 1 to 10000');
  reject("limit=-1", 'Cannot use limit "-1"');
  reject("offset=1e3", 'Cannot use offset "1e3"');
  reject("id=1&id=2", "Cannot use id twice");
  reject("color=red", 'Cannot use parameter "color": expected state, sort');
  reject("min_idle=soon", '"soon"');
});

Deno.test("parseConnectionQuery() reads what formatConnectionQuery() returns", pure, () => {
  for (
    const text of [
      "",
      "state=closed&sort=bytes_in&order=asc&offset=5&limit=7&id=3&address=%3A40&reason=natural&min_idle=1500ms",
    ]
  ) {
    const query = parseConnectionQuery(new URLSearchParams(text));
    assertEquals(parseConnectionQuery(new URLSearchParams(formatConnectionQuery(query))), query);
  }
});
