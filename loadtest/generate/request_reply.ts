/** Protocols in which a client sends one request and reads one reply: echo and HTTP. Pure. @module */
import { HttpResponseError, ResponseParser } from "../../http/response_parser.ts";
import { escapeText, ProtocolError, unescapeText } from "../../protocol.ts";
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import type { Codec } from "../../socket/codecs/codec.ts";
import { lineCodec } from "../../socket/codecs/line_codec.ts";

/** A request, and how to recognize its reply. */
export interface RequestReply<Frame> {
  readonly codec: Codec<Frame>;
  readonly request: Frame;
  /** Returns a reader for the reply on a new connection. */
  readReply(): ReplyReader<Frame>;
}

/** Reads the reply to one request. */
export interface ReplyReader<Frame> {
  /** Takes a frame. Returns the result, or `undefined` while the reply is incomplete. */
  push(frame: Frame): ReplyResult | undefined;
  /** Takes the end of the connection. Returns the result, or `undefined` if the reply is incomplete. */
  end(): ReplyResult | undefined;
}

/**
 * The result of a reply: the text it acknowledges, why it is not a valid reply, or an error line from the server. After
 * an error line (`complaint`) the reply may still arrive.
 */
export type ReplyResult =
  | { readonly text: string }
  | { readonly error: string }
  | { readonly complaint: string };

/** Options for {@linkcode echoRequest}. */
export interface EchoOptions {
  /** Longest line, in bytes. */
  readonly maxLine: number;
  /** Returns whether some client sends this text. Such a text is a reply even if it starts with `error `. */
  readonly isMessage: (text: string) => boolean;
}

/** Why a connection ended that the server closed first. */
export const SERVER_CLOSED_EARLY = "the server closed the connection before its reply";
/** Why a client rejects a response, or the beginning of that. */
export const NOT_HTTP = "the reply is not an HTTP response";
export const INVALID_HTTP = "invalid HTTP response";
export const HTTP_STATUS = "HTTP status";

/** The start of an error line. Servers of this project send one before they close a connection. */
const ERROR = "error ";
const HTTP = "HTTP/";
/** Longest first line, in UTF-16 units, of a response that is not HTTP. */
const MAX_FIRST_LINE = 8192;

/** A line that an echo server must return unchanged. A multi-line text is escaped as in the relay protocol. */
export function echoRequest(text: string, { maxLine, isMessage }: EchoOptions): RequestReply<string> {
  const request = escapeText(text);
  const resultOf = (line: string): ReplyResult => {
    if (line === request) return { text };
    const other = unescapeIfValid(line);
    return line.startsWith(ERROR) && !isMessage(other)
      ? { complaint: line.slice(ERROR.length) }
      : { text: other };
  };
  return {
    codec: lineCodec({ maxLine }),
    request,
    readReply: () => ({
      push: resultOf,
      end: () => undefined,
    }),
  };
}

/**
 * An HTTP `GET /`, acknowledged by a complete response with a status from 200 to 399.
 *
 * @param text The message that the response acknowledges; it is not sent
 * @param host The server's name and port, for the `Host` header
 */
export function httpRequest(text: string, host: string): RequestReply<Uint8Array> {
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: okline\r\nConnection: close\r\n\r\n`;
  return {
    codec: bytesCodec,
    request: new TextEncoder().encode(request),
    readReply: () => new HttpReplyReader(text),
  };
}

/** Reads one HTTP response, or the error line that a server of this project sends in its place. */
class HttpReplyReader implements ReplyReader<Uint8Array> {
  readonly #text: string;
  readonly #parser = new ResponseParser("GET");
  readonly #decoder = new TextDecoder();
  /** Text that has arrived before it is known whether this is HTTP. */
  #start = "";
  readonly #unparsed: Uint8Array[] = [];
  #state: "start" | "http" | "over" = "start";
  #status = 0;

  constructor(text: string) {
    this.#text = text;
  }

  push(bytes: Uint8Array): ReplyResult | undefined {
    if (this.#state === "http") return this.#parse(this.#parser.push(bytes));
    if (this.#state === "over") return undefined;
    this.#start += this.#decoder.decode(bytes, { stream: true });
    // Copied, because the connection reuses its buffer.
    this.#unparsed.push(bytes.slice());
    if (HTTP.startsWith(this.#start)) return undefined;
    return this.#start.startsWith(HTTP) ? this.#parseStart() : this.#firstLine();
  }

  end(): ReplyResult | undefined {
    return this.#state === "http" ? this.#parse(this.#parser.end()) : undefined;
  }

  #parseStart(): ReplyResult | undefined {
    this.#state = "http";
    let result: ReplyResult | undefined;
    for (const bytes of this.#unparsed.splice(0)) result ??= this.#parse(this.#parser.push(bytes));
    return result;
  }

  #firstLine(): ReplyResult | undefined {
    const end = this.#start.indexOf("\n");
    if (end < 0 && this.#start.length <= MAX_FIRST_LINE) {
      this.#unparsed.length = 0;
      return undefined;
    }
    this.#state = "over";
    const line = this.#start.slice(0, Math.max(end, 0)).replace(/\r$/, "");
    return line.startsWith(ERROR) ? { complaint: line.slice(ERROR.length) } : { error: NOT_HTTP };
  }

  #parse(events: ReturnType<ResponseParser["push"]>): ReplyResult | undefined {
    if (this.#parser.done) return undefined;
    try {
      for (const event of events) {
        if (event.type === "head") this.#status = event.head.status;
      }
    } catch (error) {
      if (!(error instanceof HttpResponseError)) throw error;
      this.#state = "over";
      return { error: `${INVALID_HTTP}: ${error.message}` };
    }
    if (!this.#parser.done) return undefined;
    return this.#status >= 200 && this.#status < 400
      ? { text: this.#text }
      : { error: `${HTTP_STATUS} ${this.#status}` };
  }
}

/** The text of a line in relay notation, or the line itself if it is not valid notation. */
function unescapeIfValid(line: string): string {
  try {
    return unescapeText(line);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return line;
  }
}
