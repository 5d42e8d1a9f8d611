/** Parses texts as HTTP requests, cut in different ways. */
import { assertEquals } from "@std/assert";
import type { HttpError } from "../../../http/errors.ts";
import type { RequestHead } from "../../../http/request_head.ts";
import { type RequestLimits, RequestParser } from "../../../http/request_parser.ts";

export interface Request {
  head: RequestHead;
  body: string;
  trailers: Record<string, string>;
}

export interface Outcome {
  requests: Request[];
  error: HttpError | undefined;
}

/** Returns one byte per character, so that a test can write any byte. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export interface ParseOptions {
  size?: number;
  limits?: RequestLimits;
  /** Whether the connection stays open, so that an incomplete request is not an error. */
  open?: boolean;
}

export function parse(text: string, options: ParseOptions = {}): Outcome {
  const parser = new RequestParser(options.limits);
  const bytes = bytesOf(text);
  const size = options.size ?? bytes.length;
  const requests: Request[] = [];
  let head: RequestHead | undefined;
  let body = "";
  for (let at = 0; at < bytes.length; at += size) {
    const reused = bytes.slice(at, at + size);
    const { events, error } = parser.push(reused);
    reused.fill(0xee);
    for (const event of events) {
      if (event.type === "head") head = event.head;
      else if (event.type === "body") body += String.fromCharCode(...event.bytes);
      else {
        requests.push({ head: head!, body, trailers: Object.fromEntries(event.trailers) });
        body = "";
      }
    }
    if (error) return { requests, error };
  }
  return { requests, error: options.open ? undefined : parser.end() };
}

/** Checks that the outcome is the same however the text is cut, and returns it. */
export function parseEveryWay(text: string, options: Omit<ParseOptions, "size"> = {}): Outcome {
  const whole = parse(text, options);
  for (const size of [1, 2, 3, 5, 7]) {
    const cut = parse(text, { size, ...options });
    assertEquals(cut.error?.status, whole.error?.status, `in pieces of ${size}`);
    assertEquals(cut.error?.message, whole.error?.message, `in pieces of ${size}`);
    assertEquals(cut.requests.map(comparable), whole.requests.map(comparable), `in pieces of ${size}`);
  }
  return whole;
}

function comparable(request: Request): unknown {
  return { ...request, head: { ...request.head, headers: [...request.head.headers] } };
}

/** Returns the only request in a text. */
export function only(text: string): Request {
  const { requests, error } = parseEveryWay(text);
  assertEquals(error, undefined);
  assertEquals(requests.length, 1);
  return requests[0]!;
}

/** Returns the status of the error, if any, on a connection that stays open. */
export function statusOf(text: string, limits: RequestLimits = {}): number | undefined {
  return parseEveryWay(text, { limits, open: true }).error?.status;
}

export const GET = "GET / HTTP/1.1\r\nHost: a\r\n";
export const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
export const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
