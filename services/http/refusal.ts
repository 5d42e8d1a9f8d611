/** What a client of HTTP is told that is not let in. @module */
import type { Refusal } from "../../socket/connection_set.ts";
import { text } from "./item_store.ts";
import { serializeResponse } from "../../http/response.ts";

/** The response to a client that is refused before it has asked for anything. */
export function refusalResponse(why: string, limit: Refusal["limit"]): Uint8Array {
  const status = limit === "address" ? 403 : 503;
  return serializeResponse(text(status, why), { request: undefined, keepAlive: false, date: new Date() });
}
