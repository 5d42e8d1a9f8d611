/** A store of JSON values in memory, with limits. Pure. @module */
import { plural } from "../../internal/plural.ts";

/** Options for {@linkcode ItemStore}. */
export interface ItemStoreOptions {
  /** Limit of the number of items. Default 10,000. */
  readonly maxItems?: number;
  /** Limit of all items together, in bytes of their JSON text. Default 134217728 (128 MiB). */
  readonly maxStore?: number;
}

/** An item that was written, and whether it is new. */
export interface WrittenItem {
  readonly id: number;
  readonly json: Uint8Array;
  readonly created: boolean;
}

interface Item {
  /** The JSON text as sent, in UTF-8. */
  readonly json: Uint8Array;
  /** The position in the order in which items were created. */
  readonly order: number;
}

/** Largest id of an item: fifteen digits are exact in a number. */
export const MAX_ID = 999_999_999_999_999;

/** Largest item in bytes. It is checked as one string, whose length the runtime limits. */
export const MAX_ITEM_SIZE: number = 256 * 1024 * 1024;

const MAX_ITEMS = 10_000;
const MAX_STORE = 128 * 1024 * 1024;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const WHITESPACE: readonly (number | undefined)[] = [0x20, 0x09, 0x0a, 0x0d];

/** A write for which the store has no room. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
}

/**
 * Stores JSON values as the text in which they were sent, and so returns every number unchanged: a JavaScript number
 * would round `12345678901234567890`, and `1e999` would become `null`.
 */
export class ItemStore {
  readonly #items = new Map<number, Item>();
  readonly #maxItems: number;
  readonly #maxStore: number;
  #bytes = 0;
  #created = 0;
  #nextId = 1;
  /** Whether the largest id was reached, so that ids start again. */
  #reused = false;

  constructor({ maxItems = MAX_ITEMS, maxStore = MAX_STORE }: ItemStoreOptions = {}) {
    this.#maxItems = maxItems;
    this.#maxStore = maxStore;
  }

  /** Returns the number of items, their size in bytes, and the limits. */
  stats(): { items: number; maxItems: number; storedBytes: number; maxStore: number } {
    return {
      items: this.#items.size,
      maxItems: this.#maxItems,
      storedBytes: this.#bytes,
      maxStore: this.#maxStore,
    };
  }

  /** Returns the JSON text of an item, or undefined if it does not exist. */
  read(id: number): Uint8Array | undefined {
    return this.#items.get(id)?.json;
  }

  /** Deletes an item, and returns whether it existed. */
  delete(id: number): boolean {
    const item = this.#items.get(id);
    if (item === undefined) return false;
    this.#bytes -= item.json.length;
    return this.#items.delete(id);
  }

  /**
   * Writes an item.
   *
   * @param id A number from 0 to {@linkcode MAX_ID}. Default: the one after the largest that was ever used. After
   * {@linkcode MAX_ID}, the free ids from 1 up.
   * @param body JSON in UTF-8. Only a part of the memory behind it may be used, so it is copied.
   * @throws {SyntaxError} If the body is not JSON in UTF-8.
   * @throws {StoreFullError} If the store has no room.
   */
  write(id: number | undefined, body: Uint8Array): WrittenItem {
    const json = parseJson(body);
    this.checkRoom(id, json.length);
    const chosen = id ?? this.#freeId();
    const old = this.#items.get(chosen);
    this.#items.set(chosen, { json, order: old?.order ?? ++this.#created });
    this.#bytes += json.length - (old?.json.length ?? 0);
    if (id === undefined) this.#nextId = chosen + 1;
    else if (!this.#reused) this.#nextId = Math.max(this.#nextId, chosen + 1);
    return { id: chosen, json, created: old === undefined };
  }

  /**
   * Checks whether an item of this size can be written; also before its bytes arrive.
   *
   * @throws {StoreFullError} If it cannot.
   */
  checkRoom(id: number | undefined, size: number): void {
    const old = id === undefined ? undefined : this.#items.get(id);
    if (old === undefined && this.#items.size >= this.#maxItems) {
      throw new StoreFullError(
        `The store is full: ${plural(this.#items.size, "item")} (limit ${this.#maxItems})`,
      );
    }
    const bytes = this.#bytes + size - (old?.json.length ?? 0);
    if (bytes > this.#maxStore) {
      throw new StoreFullError(
        `The store is full: ${plural(bytes, "byte")} with this item (limit ${this.#maxStore})`,
      );
    }
  }

  /**
   * Yields the items in the order in which they were created. Items may change between two of them: an item comes as it
   * is then, one that is deleted before its turn does not come, and one that is created after the start does not either,
   * so the list ends however long its reader takes. It holds no memory of deleted items.
   */
  *entries(): Generator<readonly [id: number, json: Uint8Array], void> {
    const last = this.#created;
    for (const [id, { json, order }] of this.#items) {
      if (order > last) return;
      yield [id, json];
    }
  }

  #freeId(): number {
    let id = this.#nextId;
    // This ends, because there are fewer items than ids.
    while (id > MAX_ID || this.#items.has(id)) {
      this.#reused ||= id >= MAX_ID;
      id = id >= MAX_ID ? 1 : id + 1;
    }
    return id;
  }
}

/** Returns a copy of the JSON text in `body`, without the byte order mark and the white space around it. */
function parseJson(body: Uint8Array): Uint8Array {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    // A decoder throws a TypeError.
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw new SyntaxError("Body is not JSON in UTF-8", { cause });
  }
  let start = BYTE_ORDER_MARK.every((byte, index) => body[index] === byte) ? BYTE_ORDER_MARK.length : 0;
  let end = body.length;
  while (WHITESPACE.includes(body[start])) start++;
  while (WHITESPACE.includes(body[end - 1])) end--;
  return body.slice(start, end);
}
