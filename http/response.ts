/** Responses, and their bytes in frames of limited size. Pure. @module */
import { plural } from "../internal/plural.ts";
import { REASONS, type Status } from "./errors.ts";
import { concat, framesOf } from "./frames.ts";
import { latin1Bytes } from "./grammar.ts";
import type { RequestHead } from "./request_head.ts";

/** A response. */
export interface Response {
  readonly status: Status;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. A large body comes in pieces, so that it is never in memory as a whole. */
  readonly body?: string | Uint8Array | BodyPieces;
}

/** A body in pieces of any size. */
export interface BodyPieces {
  /** Bytes of all pieces together. Default: unknown, because the pieces depend on what happens while they are sent. */
  readonly length?: number;
  readonly pieces: Iterable<Uint8Array>;
}

/** The circumstances of a response. */
export interface ResponseContext {
  /** The request, or undefined if it could not be read. */
  readonly request: Pick<RequestHead, "method" | "minorVersion"> | undefined;
  /** Whether the connection stays open, as far as the request decides it. */
  readonly keepAlive: boolean;
  readonly date: Date;
}

/** A response as bytes. */
export interface EncodedResponse {
  /** Whether another response can follow on the connection. `false` also if only its end can mark the end of the body. */
  readonly keepAlive: boolean;
  /** The bytes. Iterating throws what the pieces of the body throw, and if they are not as long as they should be. */
  readonly frames: Iterable<Uint8Array>;
}

/** The interim response to a request with `Expect: 100-continue`. */
export const CONTINUE: Uint8Array = latin1Bytes("HTTP/1.1 100 Continue\r\n\r\n");

const CRLF = latin1Bytes("\r\n");
const LAST_CHUNK = latin1Bytes("0\r\n\r\n");

const encoder = new TextEncoder();

/** Returns a response with a line of plain text. */
export function textResponse(status: Status, message: string): Response {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: `${message}\n` };
}

/**
 * Encodes an HTTP/1.1 response, with Date and Connection, and without a body if HEAD or the status forbids it. The body
 * has a Content-Length if its length is known, or it fits into the first frame. Otherwise it is chunked, or ended by the
 * end of the connection for an HTTP/1.0 client.
 *
 * @returns Frames of about 64 KiB. Those after the second are created when they are read, so the sender decides how many
 * are in memory.
 * @throws {TypeError} If a header has an invalid name or value, for example one with a line break.
 * @throws What the first pieces of the body throw.
 */
export function encodeResponse(response: Response, context: ResponseContext): EncodedResponse {
  const { request } = context;
  const { length, pieces } = piecesOf(response.body);
  const frames = framesOf(length === undefined ? pieces : exactly(length, pieces));
  const first = frames.next();
  // Without a length, only the next frame shows whether the first is all.
  const second = first.done || length !== undefined ? undefined : frames.next();
  const start = first.done ? new Uint8Array(0) : first.value;
  const known = length ?? (second === undefined || second.done ? start.length : undefined);
  const bodiless = request?.method === "HEAD" || response.status === 204;
  const framing = known !== undefined ? "sized" : request?.minorVersion === 0 ? "to-the-end" : "chunked";
  const keepAlive = context.keepAlive && (framing !== "to-the-end" || bodiless);

  const headers = new Headers(response.headers);
  headers.set("Date", context.date.toUTCString());
  if (framing === "chunked") headers.set("Transfer-Encoding", "chunked");
  // RFC 9110, 8.6: a 204 has no length, not even 0.
  else if (known !== undefined && response.status !== 204) headers.set("Content-Length", String(known));
  if (!keepAlive) headers.set("Connection", "close");
  else if (request?.minorVersion === 0) headers.set("Connection", "keep-alive");
  let text = `HTTP/1.1 ${response.status} ${REASONS[response.status]}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  const head = latin1Bytes(`${text}\r\n`); // `Headers` admits only characters of one byte.

  if (bodiless) return { keepAlive, frames: [head] };
  const rest = second === undefined || second.done ? frames : prepend(second.value, frames);
  return { keepAlive, frames: responseFrames(head, start, { rest, chunked: framing === "chunked" }) };
}

/**
 * Returns all bytes of a response; for responses that are known to be small.
 *
 * @throws As {@linkcode encodeResponse} does.
 */
export function serializeResponse(response: Response, context: ResponseContext): Uint8Array {
  return concat(encodeResponse(response, context).frames);
}

function piecesOf(body: Response["body"] = ""): BodyPieces {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return body;
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return { length: bytes.length, pieces: [bytes] };
}

function* responseFrames(
  head: Uint8Array,
  start: Uint8Array,
  { rest, chunked }: { readonly rest: Iterable<Uint8Array>; readonly chunked: boolean },
): Generator<Uint8Array, void> {
  if (!chunked) {
    yield concat([head, start]);
    yield* rest;
    return;
  }
  yield concat([head, ...chunkOf(start)]);
  for (const bytes of rest) yield concat(chunkOf(bytes));
  yield LAST_CHUNK;
}

function chunkOf(bytes: Uint8Array): readonly Uint8Array[] {
  return [latin1Bytes(`${bytes.length.toString(16)}\r\n`), bytes, CRLF];
}

/** Throws before a client could mistake the bytes of the next response for those of this body, or the reverse. */
function* exactly(length: number, pieces: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  let total = 0;
  for (const piece of pieces) {
    total += piece.length;
    if (total > length) break;
    yield piece;
  }
  if (total !== length) {
    throw new Error(`Cannot send the body: its pieces are not ${plural(length, "byte")} long`);
  }
}

function* prepend(first: Uint8Array, rest: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  yield first;
  yield* rest;
}
