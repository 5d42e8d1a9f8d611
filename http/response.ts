/** Responses as bytes. Pure. @module */
import { REASONS, type Status } from "./errors.ts";
import type { RequestHead } from "./request_head.ts";

/** What is answered. Text is sent as UTF-8. */
export interface Response {
  readonly status: Status;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What a response also depends on. */
export interface ResponseContext {
  /** The request answered; undefined if it could not be read. */
  readonly request: Pick<RequestHead, "method" | "minorVersion"> | undefined;
  readonly keepAlive: boolean;
  readonly date: Date;
}

/** What the client waits for that sent `Expect: 100-continue`. */
export const CONTINUE: Uint8Array = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

const encoder = new TextEncoder();

/**
 * A response of HTTP/1.1 with Date, Content-Length and Connection, and no body where HEAD or the status forbids it.
 *
 * @throws {TypeError} If a header's name or value is none, as one with a line break in it.
 */
export function serializeResponse(response: Response, context: ResponseContext): Uint8Array {
  const headers = new Headers(response.headers);
  const body = typeof response.body === "string"
    ? encoder.encode(response.body)
    : response.body ?? new Uint8Array(0);
  headers.set("Date", context.date.toUTCString());
  // RFC 9110, 8.6: a 204 has no length, not even 0.
  if (response.status !== 204) headers.set("Content-Length", String(body.length));
  if (!context.keepAlive) headers.set("Connection", "close");
  else if (context.request?.minorVersion === 0) headers.set("Connection", "keep-alive");
  let head = `HTTP/1.1 ${response.status} ${REASONS[response.status]}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  const start = latin1Bytes(`${head}\r\n`);
  if (context.request?.method === "HEAD" || response.status === 204) return start;
  const whole = new Uint8Array(start.length + body.length);
  whole.set(start);
  whole.set(body, start.length);
  return whole;
}

/** A byte a character: `Headers` lets nothing above U+00FF in. */
function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
