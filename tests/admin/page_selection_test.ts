import { assert, assertEquals } from "@std/assert";
import { parseConnectionQuery } from "../../admin/connection_query.ts";
import type { ConnectionRow } from "../../admin/connection_row.ts";
import { PageSelection, selectedRows } from "../../admin/page_selection.ts";
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

function select(query: string, rows: readonly ConnectionRow[]): PageSelection<ConnectionRow> {
  const parsed = parseConnectionQuery(new URLSearchParams(query));
  const selection = new PageSelection<ConnectionRow>(parsed, (row, field) => row[field]);
  for (const row of rows) selection.add(row);
  return selection;
}

function idsFor(query: string, rows = ROWS): number[] {
  return [...selectedRows(select(query, rows))].map(({ id }) => id);
}

Deno.test("PageSelection.page() sorts, filters, and pages", pure, () => {
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
  assertEquals(select("min_idle=1s&limit=1", ROWS).matched, 2);
});

Deno.test("PageSelection.page() yields what sorting all items gives when there are many", pure, () => {
  // Scattered, with equal values: 5,000 items are five runs.
  const rows = Array.from({ length: 5000 }, (_, index) => {
    const id = (index * 2417) % 5000;
    return row(id, { queued: (id * 7919) % 611, address: `10.0.0.1:${(id * 31) % 977}` });
  });
  const compare = (a: string | number, b: string | number) => a < b ? -1 : a > b ? 1 : 0;
  for (const field of ["id", "queued", "address"] as const) {
    for (const sign of [1, -1]) {
      const sorted = rows.toSorted((a, b) => sign * compare(a[field], b[field]) || a.id - b.id);
      for (
        const [offset, limit] of [[0, 5], [0, 1024], [3, 1021], [1000, 1500], [4990, 10_000], [0, 10_000]]
      ) {
        const query = `sort=${field}&order=${sign === 1 ? "asc" : "desc"}&offset=${offset}&limit=${limit}`;
        const expected = sorted.slice(offset, offset! + limit!).map(({ id }) => id);
        assertEquals(idsFor(query, rows), expected, query);
        assertEquals(select(query, rows).total, 5000);
      }
    }
  }
});

Deno.test("PageSelection.add() reads only the fields that the query uses", pure, () => {
  const read = (query: string): string[] => {
    const fields = new Set<string>();
    const parsed = parseConnectionQuery(new URLSearchParams(query));
    const selection = new PageSelection<ConnectionRow>(parsed, (row, field) => {
      fields.add(field);
      return row[field];
    });
    for (const row of ROWS) selection.add(row);
    assert([...selection.page()].length > 0);
    return [...fields].sort();
  };
  assertEquals(read(""), ["id"]);
  assertEquals(read("sort=queued&address=10"), ["address", "id", "queued"]);
  assertEquals(read("min_idle=1s"), ["id", "idle"]);
});
