/**
 * HTTP/1.1 requests from bytes in pieces of any size. Pure.
 *
 * The project has its own parser instead of a library for three reasons. It is strict, because a proxy in front of the
 * server may read a malformed request differently: of 72 such requests, as in tests/http/request_parser_error_test.ts, it
 * accepts none, `node:http` (20.20) accepts 12, and `Deno.serve` (2.9) accepts 17. It takes the bytes of any transport,
 * also in memory and in simulated time. And the server and the load test share its parts, so both read bodies and
 * headers in the same way.
 *
 * @module
 */
import { plural } from "../internal/plural.ts";
import { type BodyReader, ChunkedBodyReader, SizedBodyReader } from "./body_reader.ts";
import { HttpError } from "./errors.ts";
import { FieldSection } from "./field_section.ts";
import { LineReader } from "./line_reader.ts";
import { createRequestHead, parseRequestLine, type RequestHead } from "./request_head.ts";

/** A part of a request: first the head, then any number of body pieces, then the end. */
export type RequestEvent =
  | { readonly type: "head"; readonly head: RequestHead }
  /** At least one byte, in memory that the receiver owns. */
  | { readonly type: "body"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly trailers: Headers };

/** Limits of a request. */
export interface RequestLimits {
  /** Limit of the request line, in bytes. Default 8192, the least that RFC 9112 recommends. */
  readonly maxRequestLine?: number;
  /** Limit of all header lines together, in bytes. Default 16384. */
  readonly maxHeaders?: number;
  /** Limit of the number of header lines. Default 100. */
  readonly maxHeaderCount?: number;
  /** Limit of a body, in bytes. Default 1048576. */
  readonly maxBody?: number;
}

/** The result of {@linkcode RequestParser.push}. */
export interface ParsedRequests {
  /** In order. */
  readonly events: readonly RequestEvent[];
  /** The error that comes after the events. Nothing can be parsed after it. */
  readonly error?: HttpError;
}

/**
 * A strict parser of HTTP/1.1 requests (RFC 9112), one after another on a connection. It refuses what two parsers could
 * read differently: a bare LF, folded lines, space before a colon, two lengths. Its memory is limited, and it looks at
 * each byte once, however the bytes are cut.
 */
export class RequestParser {
  readonly #limits: Required<RequestLimits>;
  readonly #lines = new LineReader();
  #requestLine: ReturnType<typeof parseRequestLine> | undefined;
  #fields: FieldSection;
  #body: BodyReader | undefined;
  #sawEmptyLine = false;

  constructor(limits: RequestLimits = {}) {
    this.#limits = {
      maxRequestLine: limits.maxRequestLine ?? 8192,
      maxHeaders: limits.maxHeaders ?? 16_384,
      maxHeaderCount: limits.maxHeaderCount ?? 100,
      maxBody: limits.maxBody ?? 1_048_576,
    };
    this.#fields = this.#newSection();
  }

  /** Whether no part of a request has arrived: the connection can close without loss. */
  get idle(): boolean {
    return this.#body === undefined && this.#requestLine === undefined && this.#lines.size === 0;
  }

  /** Takes bytes and returns the events that they complete. Must not be called after an error. */
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

  /** Takes the end of the input, and returns an error if it is inside a request. */
  end(): HttpError | undefined {
    return this.idle ? undefined : new HttpError(400, "Connection ended inside a request");
  }

  #takeLine(bytes: Uint8Array, events: RequestEvent[]): number {
    const { maxRequestLine, maxHeaders } = this.#limits;
    const inHeaders = this.#requestLine !== undefined;
    const { line, used } = inHeaders
      ? this.#lines.take(
        bytes,
        this.#fields.bytesLeft,
        () => new HttpError(431, `Headers are over ${plural(maxHeaders, "byte")}`),
      )
      : this.#lines.take(
        bytes,
        maxRequestLine,
        () => new HttpError(414, `Request line is over ${plural(maxRequestLine, "byte")}`),
      );
    if (line === undefined) return used;
    if (!inHeaders) this.#startRequest(line);
    else if (line !== "") this.#fields.add(line);
    else this.#finishHead(events);
    return used;
  }

  #startRequest(line: string): void {
    // Old clients send an extra CRLF after a body. One is ignored (RFC 9112, 2.2), a stream of them is not.
    if (line === "" && !this.#sawEmptyLine) this.#sawEmptyLine = true;
    else this.#requestLine = parseRequestLine(line);
  }

  #finishHead(events: RequestEvent[]): void {
    const head = createRequestHead(this.#requestLine!, this.#fields.take());
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
    this.#fields = this.#newSection();
    this.#body = undefined;
    this.#sawEmptyLine = false;
  }

  #newSection(): FieldSection {
    const { maxHeaders: maxBytes, maxHeaderCount: maxCount } = this.#limits;
    return new FieldSection({ maxBytes, maxCount });
  }
}
