/** The items of one page of a connection list. Pure. @module */
import { type ConnectionQuery, SORT_KEYS } from "./connection_query.ts";
import type { ConnectionRow } from "./connection_row.ts";

/** Items that are sorted in one piece. */
const RUN = 1024;

/** Reads a field of an item. It is called only for the fields that a query uses. */
export type FieldReader<Item> = (item: Item, field: SortField | "reason") => string | number | undefined;

/** A field that lists can be sorted by. */
export type SortField = (typeof SORT_KEYS)[keyof typeof SORT_KEYS];

/** An item of a page, and the value that it was sorted by. */
export interface Selected<Item> {
  readonly item: Item;
  readonly id: number;
  readonly key: string | number;
}

/**
 * Picks the items of a page from items that are added one by one. No call takes long: items are sorted in runs of 1,024, and
 * the runs are merged as the page is read.
 *
 * @example
 * ```ts
 * import { PageSelection } from "./page_selection.ts";
 * import { parseConnectionQuery } from "./connection_query.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const query = parseConnectionQuery(new URLSearchParams("sort=queued&limit=1"));
 * const selection = new PageSelection<{ id: number; queued: number }>(
 *   query,
 *   (item, field) => field === "id" || field === "queued" ? item[field] : 0,
 * );
 * selection.add({ id: 1, queued: 5 });
 * selection.add({ id: 2, queued: 9 });
 * assertEquals([...selection.page()].map(({ id }) => id), [2]);
 * assertEquals([selection.total, selection.matched], [2, 2]);
 * ```
 */
export class PageSelection<Item> {
  readonly #query: ConnectionQuery;
  readonly #read: FieldReader<Item>;
  readonly #field: SortField;
  readonly #compare: (a: Selected<Item>, b: Selected<Item>) => number;
  /** Items up to the end of the page. */
  readonly #most: number;
  /** Sorted runs, each no longer than `#most`. */
  readonly #runs: Selected<Item>[][] = [];
  #run: Selected<Item>[] = [];
  /** `#most` items come before it or are equal to it, so that later items after it cannot be on the page. */
  #last: Selected<Item> | undefined;
  #total = 0;
  #matched = 0;

  constructor(query: ConnectionQuery, read: FieldReader<Item>) {
    const sign = query.order === "asc" ? 1 : -1;
    this.#query = query;
    this.#read = read;
    this.#field = SORT_KEYS[query.sort];
    this.#most = query.offset + query.limit;
    this.#compare = (a, b) => {
      if (a.key === b.key) return a.id - b.id;
      return a.key < b.key ? -sign : sign;
    };
  }

  /** The field that the items are sorted by. */
  get field(): SortField {
    return this.#field;
  }

  /** The number of items that were added. */
  get total(): number {
    return this.#total;
  }

  /** The number of those that pass the filters. */
  get matched(): number {
    return this.#matched;
  }

  /** Adds an item. */
  add(item: Item): void {
    this.#total++;
    if (!this.#matches(item)) return;
    this.#matched++;
    const selected = { item, id: Number(this.#read(item, "id")), key: this.#read(item, this.#field) ?? 0 };
    if (this.#last !== undefined && this.#compare(selected, this.#last) > 0) return;
    this.#run.push(selected);
    if (this.#run.length === RUN) this.#endRun();
  }

  /** Yields the items of the page in order. */
  *page(): Generator<Selected<Item>> {
    this.#endRun();
    const { offset, limit } = this.#query;
    const heads = this.#runs.filter((run) => run.length > 0).map((run) => ({ run, at: 0 }));
    for (let index = 0; index < offset + limit; index++) {
      let next = heads[0];
      if (next === undefined) return;
      for (let other = 1; other < heads.length; other++) {
        const head = heads[other]!;
        if (this.#compare(head.run[head.at]!, next.run[next.at]!) < 0) next = head;
      }
      const selected = next.run[next.at++]!;
      if (next.at === next.run.length) heads.splice(heads.indexOf(next), 1);
      if (index >= offset) yield selected;
    }
  }

  #matches(item: Item): boolean {
    const { id, address, reason, minIdle } = this.#query;
    return (id === undefined || this.#read(item, "id") === id) &&
      (address === undefined || String(this.#read(item, "address")).includes(address)) &&
      (reason === undefined || this.#read(item, "reason") === reason) &&
      (minIdle === 0 || Number(this.#read(item, "idle")) >= minIdle);
  }

  #endRun(): void {
    const run = this.#run.sort(this.#compare);
    if (run.length > this.#most) run.length = this.#most;
    const last = run[this.#most - 1];
    if (last !== undefined && (this.#last === undefined || this.#compare(last, this.#last) < 0)) {
      this.#last = last;
    }
    this.#runs.push(run);
    this.#run = [];
  }
}

/** Yields the rows of a selection of rows. */
export function* selectedRows(selection: PageSelection<ConnectionRow>): Generator<ConnectionRow> {
  for (const { item } of selection.page()) yield item;
}
