/** Requests and responses of the admin server, without their sockets. Pure. @module */

/** A request. Its body, if any, is ignored. */
export interface AdminRequest {
  readonly method: string;
  /** Path of the target, without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Values of a header by its lower-case name; empty if the request does not have it. */
  header(name: string): readonly string[];
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** A response. An iterable body is sent as it comes, no faster than the client reads. */
export interface AdminResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<string>;
}

/** Makes a response of plain text. */
export function textResponse(
  status: number,
  text: string,
  headers: AdminResponse["headers"] = {},
): AdminResponse {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body: `${text}\n` };
}

/** Headers of a JSON response. */
export const JSON_HEADERS: AdminResponse["headers"] = { "Content-Type": "application/json; charset=utf-8" };

/** Makes a JSON response. */
export function jsonResponse(
  status: number,
  value: object,
  headers: AdminResponse["headers"] = {},
): AdminResponse {
  const body = `${JSON.stringify(value)}\n`;
  return { status, headers: { ...JSON_HEADERS, ...headers }, body };
}

/** Makes the response to a request that is refused. */
export function errorResponse(
  status: number,
  message: string,
  headers: AdminResponse["headers"] = {},
): AdminResponse {
  return jsonResponse(status, { error: message }, headers);
}
