/** Requests of HTTP/1.1 from bytes that come in any pieces. Pure. @module */
import { plural } from "../internal/plural.ts";
import { type BodyReader, ChunkedBodyReader, SizedBodyReader } from "./body_reader.ts";
import { HttpError } from "./errors.ts";
import { LineReader } from "./line_reader.ts";
import { parseRequestHead, parseRequestLine, type RequestHead } from "./request_head.ts";

/** What a request consists of: one head, any number of body pieces, one end. */
export type RequestEvent =
  | { readonly type: "head"; readonly head: RequestHead }
  /** At least one byte, and a copy. */
  | { readonly type: "body"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly trailers: Headers };

/** Limits of a request. */
export interface RequestLimits {
  /** Bytes of the request line. Default 8192, the least that RFC 9112 asks for. */
  readonly maxRequestLine?: number;
  /** Bytes of all header lines together. Default 16384. */
  readonly maxHeaders?: number;
  /** Number of header lines. Default 100. */
  readonly maxHeaderCount?: number;
  /** Bytes of a body. Default 1048576. */
  readonly maxBody?: number;
}

/** Events in order, and the error after which nothing more is understood. */
export interface ParsedRequests {
  readonly events: readonly RequestEvent[];
  readonly error?: HttpError;
}

/**
 * A strict parser of HTTP/1.1 requests (RFC 9112), one after another on a connection. Whatever two parsers could
 * read differently is refused: bare LF, folded lines, space before a colon, two lengths. Memory is bounded by the
 * limits; a byte is looked at once, whatever the pieces. Pure.
 */
export class RequestParser {
  readonly #limits: Required<RequestLimits>;
  readonly #lines = new LineReader();
  #requestLine: ReturnType<typeof parseRequestLine> | undefined;
  #fieldLines: string[] = [];
  #headerBytes = 0;
  #body: BodyReader | undefined;
  #sawEmptyLine = false;

  constructor(limits: RequestLimits = {}) {
    this.#limits = {
      maxRequestLine: limits.maxRequestLine ?? 8192,
      maxHeaders: limits.maxHeaders ?? 16_384,
      maxHeaderCount: limits.maxHeaderCount ?? 100,
      maxBody: limits.maxBody ?? 1_048_576,
    };
  }

  /** Whether nothing of a request has come yet: closing now loses nothing, and a wait is no fault of the client. */
  get idle(): boolean {
    return this.#body === undefined && this.#requestLine === undefined && this.#lines.size === 0;
  }

  /** Takes bytes and gives the events they complete. After an error nothing more may be pushed. */
  push(bytes: Uint8Array): ParsedRequests {
    const events: RequestEvent[] = [];
    let rest = bytes;
    try {
      while (rest.length > 0) {
        const used = this.#body ? this.#takeBody(this.#body, rest, events) : this.#takeLine(rest, events);
        rest = rest.subarray(used);
      }
    } catch (error) {
      if (error instanceof HttpError) return { events, error };
      throw error;
    }
    return { events };
  }

  /** The peer has finished: an error if it did so inside a request. */
  end(): HttpError | undefined {
    return this.idle ? undefined : new HttpError(400, "Connection ended inside a request");
  }

  #takeLine(bytes: Uint8Array, events: RequestEvent[]): number {
    const { maxRequestLine, maxHeaders } = this.#limits;
    const inHeaders = this.#requestLine !== undefined;
    const { line, used } = inHeaders
      ? this.#lines.take(
        bytes,
        maxHeaders - this.#headerBytes,
        () => new HttpError(431, `Headers are over ${plural(maxHeaders, "byte")}`),
      )
      : this.#lines.take(
        bytes,
        maxRequestLine,
        () => new HttpError(414, `Request line is over ${plural(maxRequestLine, "byte")}`),
      );
    if (line === undefined) return used;
    if (!inHeaders) this.#startRequest(line);
    else if (line !== "") this.#addField(line);
    else this.#finishHead(events);
    return used;
  }

  #startRequest(line: string): void {
    // Old clients send a CRLF too many after a body: one is forgiven (RFC 9112, 2.2), a stream of them is not.
    if (line === "" && !this.#sawEmptyLine) this.#sawEmptyLine = true;
    else this.#requestLine = parseRequestLine(line);
  }

  #addField(line: string): void {
    const { maxHeaderCount } = this.#limits;
    this.#headerBytes += line.length;
    if (this.#fieldLines.push(line) > maxHeaderCount) {
      throw new HttpError(431, `Headers are more than ${maxHeaderCount}`);
    }
  }

  #finishHead(events: RequestEvent[]): void {
    const head = parseRequestHead(this.#requestLine!, this.#fieldLines);
    const { maxBody } = this.#limits;
    if (head.body.type === "sized" && head.body.length > maxBody) {
      throw new HttpError(413, `Body of ${plural(head.body.length, "byte")} is over ${maxBody}`);
    }
    events.push({ type: "head", head });
    if (head.body.type === "chunked") this.#body = new ChunkedBodyReader(this.#limits);
    else if (head.body.type === "sized" && head.body.length > 0) {
      this.#body = new SizedBodyReader(head.body.length);
    } else this.#finishRequest(new Headers(), events);
  }

  #takeBody(body: BodyReader, bytes: Uint8Array, events: RequestEvent[]): number {
    const step = body.take(bytes);
    if (step.data) events.push({ type: "body", bytes: step.data });
    if (step.trailers) this.#finishRequest(step.trailers, events);
    return step.used;
  }

  #finishRequest(trailers: Headers, events: RequestEvent[]): void {
    events.push({ type: "end", trailers });
    this.#requestLine = undefined;
    this.#fieldLines = [];
    this.#headerBytes = 0;
    this.#body = undefined;
    this.#sawEmptyLine = false;
  }
}
