/** The resources of the HTTP service: a page, the time, a small store of items. @module */
import { plural } from "../../internal/plural.ts";
import type { Status } from "../../http/errors.ts";
import type { RequestHead } from "../../http/request_head.ts";
import type { Response } from "../../http/response.ts";

/** What a {@linkcode ItemStore} may be told. */
export interface ItemStoreOptions {
  /** Most items at once. Default 10,000. */
  readonly maxItems?: number;
  /** The time of day, for `/time`. */
  readonly now: () => Date;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
const ITEM = /^\/items\/(\d{1,15})$/;
const MAX_ITEMS = 10_000;

/** Answers requests: `/`, `/time`, `/items` and `/items/ID`. Items are JSON values and live as long as this does. */
export class ItemStore {
  readonly #items = new Map<number, unknown>();
  readonly #maxItems: number;
  readonly #now: () => Date;
  #nextId = 1;

  constructor(options: ItemStoreOptions) {
    this.#maxItems = options.maxItems ?? MAX_ITEMS;
    this.#now = options.now;
  }

  get size(): number {
    return this.#items.size;
  }

  /** The answer where the body makes no difference to it: so that a client that asks first need not send it. */
  refuse(head: RequestHead): Response | undefined {
    if (!METHODS.includes(head.method)) return text(501, `Method is not supported: ${head.method}`);
    const allowed = this.#allowed(head.path);
    if (!allowed) return text(404, `No such resource: ${head.path}`);
    if (!allowed.includes(head.method)) {
      return {
        ...text(405, `Method is not allowed here: ${head.method}`),
        headers: { Allow: allowed.join(", ") },
      };
    }
    if (head.method !== "POST" && head.method !== "PUT") return undefined;
    if (head.body.type === "none") return text(411, "Body has neither Content-Length nor Transfer-Encoding");
    const type = head.headers.get("content-type") ?? "";
    if (!/^application\/json *(;|$)/i.test(type)) return text(415, "Content-Type is not application/json");
    return undefined;
  }

  /** The answer to a request that {@linkcode refuse} did not answer. */
  respond(head: RequestHead, body: Uint8Array): Response {
    if (head.method === "OPTIONS") {
      return { status: 204, headers: { Allow: (this.#allowed(head.path) ?? METHODS).join(", ") } };
    }
    if (head.path === "/") return html();
    if (head.path === "/time") return json(200, { time: this.#now().toISOString() });
    const id = ITEM.exec(head.path)?.[1];
    switch (head.method) {
      case "POST":
        return this.#write(this.#nextId, body);
      case "PUT":
        return this.#write(Number(id), body);
      case "DELETE":
        return this.#items.delete(Number(id)) ? { status: 204 } : text(404, `No such item: ${id}`);
      default:
        return id === undefined ? this.#list() : this.#read(Number(id));
    }
  }

  /** The methods a resource has; undefined if there is no such resource. */
  #allowed(path: string): readonly string[] | undefined {
    if (path === "*") return METHODS;
    if (path === "/" || path === "/time") return ["GET", "HEAD", "OPTIONS"];
    if (path === "/items") return ["GET", "HEAD", "POST", "OPTIONS"];
    if (ITEM.test(path)) return ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];
    return undefined;
  }

  #list(): Response {
    return json(200, [...this.#items].map(([id, value]) => ({ id, value })));
  }

  #read(id: number): Response {
    return this.#items.has(id)
      ? json(200, { id, value: this.#items.get(id) })
      : text(404, `No such item: ${id}`);
  }

  #write(id: number, body: Uint8Array): Response {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    } catch {
      return text(400, "Body is not JSON in UTF-8");
    }
    const created = !this.#items.has(id);
    if (created && this.#items.size >= this.#maxItems) {
      return text(507, `The store is full: ${plural(this.#maxItems, "item")}`);
    }
    this.#items.set(id, value);
    this.#nextId = Math.max(this.#nextId, id + 1);
    const response = json(created ? 201 : 200, { id, value });
    return created ? { ...response, headers: { ...response.headers, Location: `/items/${id}` } } : response;
  }
}

/** An answer of plain text, as errors are. */
export function text(status: Status, message: string): Response {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: `${message}\n` };
}

function json(status: Status, value: unknown): Response {
  return { status, headers: { "Content-Type": "application/json" }, body: `${JSON.stringify(value)}\n` };
}

function html(): Response {
  const body = `<!doctype html>
<html lang="en">
<title>okline</title>
<h1>It works</h1>
<p>See <a href="/time">the time</a> and <a href="/items">the items</a>.</p>
</html>
`;
  return { status: 200, headers: { "Content-Type": "text/html; charset=utf-8" }, body };
}
