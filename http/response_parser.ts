/** One HTTP/1 response from bytes in pieces of any size: the client side of RFC 9112. Pure. @module */
import { type BodyReader, ChunkedBodyReader, SizedBodyReader } from "./body_reader.ts";
import { HttpError } from "./errors.ts";
import { FieldSection, headersOf } from "./field_section.ts";
import { listMembers } from "./grammar.ts";
import { LineReader } from "./line_reader.ts";

/** A response without its body. */
export interface ResponseHead {
  /** The minor version of HTTP/1: 0 or 1. */
  readonly minorVersion: number;
  /** The status code, such as 200. */
  readonly status: number;
  /** The reason phrase. It has no meaning and may be empty. */
  readonly reason: string;
  /** The header fields. */
  readonly headers: Headers;
}

/** A part of a response: first the head, then any number of body pieces, then the end. */
export type ResponseEvent =
  | { readonly type: "head"; readonly head: ResponseHead }
  | { readonly type: "data"; readonly data: Uint8Array }
  | { readonly type: "end" };

/** The server sent something other than an HTTP/1 response, or more than a client accepts. */
export class HttpResponseError extends Error {
  /** Always `HttpResponseError`. */
  override readonly name = "HttpResponseError";
}

const STATUS_LINE = /^HTTP\/1\.(\d) ([1-9]\d{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const LENGTH = /^\d{1,15}$/;
const MAX_LINE = 8192;
const MAX_HEADERS = 65_536;
// A server may send 102 (Processing) every few seconds of a long task, so there can be many. Without a limit, a server
// that sends nothing else would keep the client forever.
const MAX_INTERIM = 100;
const SWITCHING_PROTOCOLS = 101;

/**
 * Parses one response, and discards the interim responses (1xx) before it: up to 100 of them, with 64 KiB of headers in
 * all. Must not be used after an error or after the end.
 */
export class ResponseParser {
  readonly #method: string;
  readonly #lines = new LineReader();
  // Shared by the interim responses and the final one.
  readonly #fields = new FieldSection({ maxBytes: MAX_HEADERS, folding: true });
  #state: "status" | "fields" | "body" | "to-the-end" | "done" = "status";
  #status: Omit<ResponseHead, "headers"> | undefined;
  #interim = 0;
  #body: BodyReader | undefined;
  #used = 0;

  /** @param method The method of the request. A response to HEAD has no body, whatever its head says. */
  constructor(method: string) {
    this.#method = method;
  }

  /** Whether the response is complete. If it is not when the server has finished, it was cut off. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Returns how many bytes of the last push belong to this response. The rest is the start of the next one. */
  get used(): number {
    return this.#used;
  }

  /**
   * Takes bytes and yields what they complete. Bytes after the end of the response are not {@linkcode ResponseParser.used}.
   *
   * @throws {HttpResponseError} If the bytes are not a response, or more than 100 interim responses come first.
   */
  *push(bytes: Uint8Array): IterableIterator<ResponseEvent> {
    this.#used = 0;
    try {
      while (this.#used < bytes.length && this.#state !== "done") {
        const { used, events } = this.#take(bytes.subarray(this.#used));
        this.#used += used;
        yield* events;
      }
    } catch (cause) {
      // The parsers of bodies and fields, which the server uses too, throw errors with a status.
      throw cause instanceof HttpError ? new HttpResponseError(cause.message, { cause }) : cause;
    }
  }

  /**
   * Takes the end of the input, and yields the end of the response if nothing else marks it.
   *
   * @throws {HttpResponseError} If the response is incomplete.
   */
  *end(): IterableIterator<ResponseEvent> {
    if (this.#state === "done") return;
    if (this.#state !== "to-the-end") {
      throw new HttpResponseError(
        this.#state === "body" ? "Response ended inside its body" : "Response ended before its body",
      );
    }
    this.#state = "done";
    yield { type: "end" };
  }

  #take(bytes: Uint8Array): { readonly used: number; readonly events: readonly ResponseEvent[] } {
    if (this.#state === "to-the-end") {
      return { used: bytes.length, events: [{ type: "data", data: bytes.slice() }] };
    }
    if (this.#body !== undefined) {
      const { used, data, trailers } = this.#body.take(bytes);
      const events: ResponseEvent[] = data === undefined ? [] : [{ type: "data", data }];
      if (trailers !== undefined) events.push(this.#finish());
      return { used, events };
    }
    const limit = this.#state === "status" ? MAX_LINE : this.#fields.bytesLeft;
    const { line, used } = this.#lines.take(
      bytes,
      limit,
      () => new HttpError(431, `Head is over ${MAX_HEADERS} bytes, or its first line over ${MAX_LINE}`),
    );
    if (line === undefined) return { used, events: [] };
    return { used, events: this.#state === "status" ? this.#takeStatus(line) : this.#takeField(line) };
  }

  #takeStatus(line: string): readonly ResponseEvent[] {
    const [, minorVersion, status, reason = ""] = STATUS_LINE.exec(line) ?? [];
    if (status === undefined) throw new HttpResponseError("First line is not that of an HTTP/1 response");
    this.#status = { minorVersion: Number(minorVersion), status: Number(status), reason };
    this.#state = "fields";
    return [];
  }

  #takeField(line: string): readonly ResponseEvent[] {
    if (line !== "") {
      this.#fields.add(line);
      return [];
    }
    const { status } = this.#status!;
    const headers = headersOf(this.#fields.take());
    if (status < 200 && status !== SWITCHING_PROTOCOLS) {
      if (++this.#interim > MAX_INTERIM) {
        throw new HttpResponseError(`Server sent more than ${MAX_INTERIM} interim responses (1xx)`);
      }
      this.#state = "status";
      return [];
    }
    const head: ResponseEvent = { type: "head", head: { ...this.#status!, headers } };
    return this.#frame(status, headers) ? [head] : [head, this.#finish()];
  }

  /** Decides where the body ends (RFC 9112, 6.3). Returns `false` if the response has no body. */
  #frame(status: number, headers: Headers): boolean {
    if (this.#method === "HEAD" || status === SWITCHING_PROTOCOLS || status === 204 || status === 304) {
      return false;
    }
    const encoding = headers.get("transfer-encoding");
    const lengths = new Set(listMembers(headers.get("content-length") ?? ""));
    if (encoding !== null && lengths.size > 0) {
      throw new HttpResponseError("Content-Length and Transfer-Encoding are both given");
    }
    if (encoding !== null && listMembers(encoding).at(-1) === "chunked") {
      this.#body = new ChunkedBodyReader({ maxBody: Infinity, maxHeaders: MAX_HEADERS, folding: true });
    } else if (encoding !== null || lengths.size === 0) {
      this.#state = "to-the-end";
      return true;
    } else {
      const [length = ""] = lengths;
      if (lengths.size > 1 || !LENGTH.test(length)) {
        throw new HttpResponseError("Content-Length is not one number of bytes");
      }
      if (Number(length) === 0) return false;
      this.#body = new SizedBodyReader(Number(length));
    }
    this.#state = "body";
    return true;
  }

  #finish(): ResponseEvent {
    this.#state = "done";
    return { type: "end" };
  }
}
