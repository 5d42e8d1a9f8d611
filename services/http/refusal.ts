/** Responses to clients that are refused before their first request. @module */
import type { Refusal } from "../../socket/listener/connection_set.ts";
import { HTTP_ALPN } from "../../http/grammar.ts";
import type { Status } from "../../http/errors.ts";
import { serializeResponse, textResponse } from "../../http/response.ts";

/** The TLS settings of an HTTP server: its ALPN protocol, and its response to a client whose handshake is refused. */
export const HTTP_TLS = {
  alpn: HTTP_ALPN,
  notice: (why: string): string => new TextDecoder().decode(refuse(400, why)),
} as const;

/** Returns the response to a client that a limit or an address list refuses. */
export function refusalResponse(why: string, limit: Refusal["limit"]): Uint8Array {
  return refuse(limit === "address" ? 403 : 503, why);
}

function refuse(status: Status, why: string): Uint8Array {
  return serializeResponse(textResponse(status, why), {
    request: undefined,
    keepAlive: false,
    date: new Date(),
  });
}
