/** Status codes, and the errors that carry one. Pure. @module */

/** The status codes that the server sends, with their reason phrases (RFC 9110, 15). */
export const REASONS = {
  100: "Continue",
  200: "OK",
  201: "Created",
  204: "No Content",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
} as const;

/** A status code in {@linkcode REASONS}. */
export type Status = keyof typeof REASONS;

/**
 * A request that cannot be served. After an error from the parser the connection must end, because the start of the
 * next request is unknown.
 */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: Status;

  constructor(status: Status, message: string) {
    super(message);
    this.status = status;
  }
}
