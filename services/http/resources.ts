/** The resources of the HTTP service: a page, the time, and a store of items. Pure. @module */
import type { RequestHead } from "../../http/request_head.ts";
import { type BodyPieces, type Response, textResponse } from "../../http/response.ts";
import { normalizePath } from "../../http/grammar.ts";
import { type ItemStore, StoreFullError } from "./item_store.ts";

/** Options for {@linkcode Resources}. */
export interface ResourcesOptions {
  readonly store: ItemStore;
  /** Returns the time of day, for `/time`. */
  readonly now: () => Date;
}

type Resource =
  | { readonly type: "server" | "page" | "time" | "items" }
  | { readonly type: "item"; readonly id: number };

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
const METHODS_OF: Readonly<Record<Resource["type"], readonly string[]>> = {
  server: METHODS,
  page: ["GET", "HEAD", "OPTIONS"],
  time: ["GET", "HEAD", "OPTIONS"],
  items: ["GET", "HEAD", "POST", "OPTIONS"],
  item: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"],
};
// One spelling for each id: with leading zeros, one item would have several paths.
const ITEM = /^\/items\/(0|[1-9]\d{0,14})$/;

const encoder = new TextEncoder();

/** Responds to requests for `/`, `/time`, `/items`, and `/items/ID`. */
export class Resources {
  readonly #store: ItemStore;
  readonly #now: () => Date;

  constructor({ store, now }: ResourcesOptions) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Returns the response to a request that is refused whatever its body is. A client that waits for `100 Continue` then
   * need not send it.
   */
  refuse(head: RequestHead): Response | undefined {
    if (!METHODS.includes(head.method)) return textResponse(501, `Method is not supported: ${head.method}`);
    const resource = resourceAt(head.path);
    if (!resource) return textResponse(404, `No such resource: ${head.path}`);
    const allowed = METHODS_OF[resource.type];
    if (!allowed.includes(head.method)) {
      const { headers, ...rest } = textResponse(405, `Method is not allowed here: ${head.method}`);
      return { ...rest, headers: { ...headers, Allow: allowed.join(", ") } };
    }
    if (head.method !== "POST" && head.method !== "PUT") return undefined;
    const { body } = head;
    if (body.type === "none") {
      return textResponse(411, "Body has neither Content-Length nor Transfer-Encoding");
    }
    const type = head.headers.get("content-type") ?? "";
    if (!/^application\/json *(;|$)/i.test(type)) {
      return textResponse(415, "Content-Type is not application/json");
    }
    try {
      this.#store.checkRoom(idOf(resource), body.type === "sized" ? body.length : 0);
      return undefined;
    } catch (error) {
      return refusal(error);
    }
  }

  /** Returns the response to a request that {@linkcode Resources.refuse} does not refuse. */
  respond(head: RequestHead, body: Uint8Array): Response {
    const resource = resourceAt(head.path)!;
    if (head.method === "OPTIONS") {
      return { status: 204, headers: { Allow: METHODS_OF[resource.type].join(", ") } };
    }
    if (resource.type === "page") return page();
    if (resource.type === "time") return json(200, `{"time":"${this.#now().toISOString()}"}\n`);
    if (head.method === "POST" || head.method === "PUT") return this.#write(idOf(resource), body);
    if (resource.type !== "item") return json(200, { pieces: this.#list() });
    const { id } = resource;
    if (head.method === "DELETE") return this.#store.delete(id) ? { status: 204 } : notFound(id);
    const item = this.#store.read(id);
    return item === undefined ? notFound(id) : json(200, itemBody(id, item));
  }

  #write(id: number | undefined, body: Uint8Array): Response {
    try {
      const item = this.#store.write(id, body);
      if (!item.created) return json(200, itemBody(item.id, item.json));
      return json(201, itemBody(item.id, item.json), { Location: `/items/${item.id}` });
    } catch (error) {
      return refusal(error);
    }
  }

  *#list(): Generator<Uint8Array, void> {
    let separator = "[";
    for (const [id, item] of this.#store.entries()) {
      yield encoder.encode(separator);
      yield* itemPieces(id, item);
      separator = ",";
    }
    yield encoder.encode(separator === "[" ? "[]\n" : "]\n");
  }
}

function resourceAt(path: string): Resource | undefined {
  const normal = normalizePath(path);
  switch (normal) {
    case "*":
      return { type: "server" };
    case "/":
      return { type: "page" };
    case "/time":
      return { type: "time" };
    case "/items":
      return { type: "items" };
  }
  const id = ITEM.exec(normal)?.[1];
  return id === undefined ? undefined : { type: "item", id: Number(id) };
}

function idOf(resource: Resource): number | undefined {
  return resource.type === "item" ? resource.id : undefined;
}

/** Returns the response to a write that the store refuses. */
function refusal(error: unknown): Response {
  if (error instanceof SyntaxError) return textResponse(400, error.message);
  if (error instanceof StoreFullError) return textResponse(507, error.message);
  throw error;
}

function notFound(id: number): Response {
  return textResponse(404, `No such item: ${id}`);
}

function json(
  status: 200 | 201,
  body: string | BodyPieces,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return { status, headers: { "Content-Type": "application/json", ...headers }, body };
}

function itemBody(id: number, item: Uint8Array): BodyPieces {
  const pieces = [...itemPieces(id, item), encoder.encode("\n")];
  return { length: pieces.reduce((size, piece) => size + piece.length, 0), pieces };
}

/** Returns an item as JSON. The text of its value is not copied. */
function itemPieces(id: number, item: Uint8Array): readonly Uint8Array[] {
  return [encoder.encode(`{"id":${id},"value":`), item, encoder.encode("}")];
}

function page(): Response {
  const body = `<!doctype html>
<html lang="en">
<title>okline</title>
<h1>It works</h1>
<p>See <a href="/time">the time</a> and <a href="/items">the items</a>.</p>
</html>
`;
  return { status: 200, headers: { "Content-Type": "text/html; charset=utf-8" }, body };
}
