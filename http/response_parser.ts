/** Bytes of a connection to one response: the client's side of RFC 9112. Pure. @module */
import { type BodyReader, ChunkedBodyReader, SizedBodyReader } from "./body_reader.ts";
import { listMembers, parseFieldLine } from "./grammar.ts";
import { HttpError } from "./errors.ts";
import { LineReader } from "./line_reader.ts";

/** All of a response but its body. */
export interface ResponseHead {
  /** The minor version of HTTP/1: 0 or 1. */
  readonly minorVersion: number;
  /** The status code, such as 200. */
  readonly status: number;
  /** The reason phrase; may be empty, and means nothing. */
  readonly reason: string;
  /** The header fields. */
  readonly headers: Headers;
}

/** What was found in the bytes. */
export type ResponseEvent =
  | { readonly type: "head"; readonly head: ResponseHead }
  | { readonly type: "data"; readonly data: Uint8Array }
  | { readonly type: "end" };

/** What the server sent is no response of HTTP/1. */
export class HttpResponseError extends Error {
  /** Always `HttpResponseError`. */
  override readonly name = "HttpResponseError";
}

const STATUS_LINE = /^HTTP\/1\.(\d) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const LENGTH = /^\d{1,15}$/;
const MAX_LINE = 8192;
const MAX_HEADERS = 65_536;
const SWITCHING_PROTOCOLS = 101;

/** Takes the bytes of one response, in whatever pieces. After an error, and after the end, nothing more may be pushed. */
export class ResponseParser {
  readonly #method: string;
  readonly #lines = new LineReader();
  #state: "status" | "fields" | "body" | "to-the-end" | "done" = "status";
  #status: Omit<ResponseHead, "headers"> | undefined;
  #fields: string[] = [];
  #headerBytes = 0;
  #body: BodyReader | undefined;
  #used = 0;

  /** @param method Of the request: the answer to HEAD has no body, whatever its head says. */
  constructor(method: string) {
    this.#method = method;
  }

  /** Whether the response is complete; if not when the server has finished, it ended early. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** How many bytes of the last push belong to this response; the rest is the start of the next one. */
  get used(): number {
    return this.#used;
  }

  /** @throws {HttpResponseError} If the bytes are no response. */
  *push(bytes: Uint8Array): IterableIterator<ResponseEvent> {
    this.#used = 0;
    try {
      while (this.#used < bytes.length && this.#state !== "done") {
        const { used, events } = this.#take(bytes.subarray(this.#used));
        this.#used += used;
        yield* events;
      }
    } catch (cause) {
      // The parts that both sides share speak of requests.
      throw cause instanceof HttpError ? new HttpResponseError(cause.message, { cause }) : cause;
    }
  }

  /**
   * The server has finished.
   *
   * @returns The end, where that is how the body's end is told.
   * @throws {HttpResponseError} If something is missing.
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
    const limit = this.#state === "status" ? MAX_LINE : MAX_HEADERS - this.#headerBytes;
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
      this.#fields.push(line);
      this.#headerBytes += line.length;
      return [];
    }
    const { status } = this.#status!;
    const headers = new Headers();
    for (const field of this.#fields) {
      const { name, value } = parseFieldLine(field);
      headers.append(name, value);
    }
    const head: ResponseEvent = { type: "head", head: { ...this.#status!, headers } };
    this.#fields = [];
    this.#headerBytes = 0;
    if (status < 200 && status !== SWITCHING_PROTOCOLS) {
      // An interim response: the one that counts is still to come.
      this.#state = "status";
      return [];
    }
    return this.#frame(status, headers) ? [head] : [head, this.#finish()];
  }

  /** How the body's end is told (RFC 9112, 6.3); `false` if there is no body. */
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
      this.#body = new ChunkedBodyReader({ maxBody: Infinity, maxHeaders: MAX_HEADERS });
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
