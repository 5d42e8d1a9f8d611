/** Questions with one answer, on a connection of their own: what clients of services other than the relay do. Pure. @module */
import { escapeText, ProtocolError, unescapeText } from "../../protocol.ts";
import { bytesCodec } from "../../socket/codecs/bytes_codec.ts";
import type { Codec } from "../../socket/codecs/codec.ts";
import { lineCodec } from "../../socket/codecs/line_codec.ts";
import { ResponseReader } from "./response_reader.ts";

/** A question, and how its answer is known. */
export interface RequestReply<Frame> {
  readonly codec: Codec<Frame>;
  readonly question: Frame;
  /** Begins to wait for the answer on a new connection. */
  answer(): Reply<Frame>;
}

/** An answer on its way. */
export interface Reply<Frame> {
  /** Takes what came; gives what it answers, or `undefined` while more must come. */
  push(frame: Frame): Answered | undefined;
  /** The same when the server has ended the connection. */
  end(): Answered | undefined;
}

/** The text that an answer is for, why it is none, or what the server says is wrong: then an answer may still come. */
export type Answered =
  | { readonly text: string }
  | { readonly error: string }
  | { readonly complaint: string };

/** What an echo exchange knows apart from its text. */
export interface EchoExchangeOptions {
  /** Most bytes of a line. */
  readonly maxLine: number;
  /** Whether some client sends this text: as such it is told of, whatever its first word is. */
  readonly isMessage: (text: string) => boolean;
}

/** How a line begins in which a server says what is wrong, as those of this project do before they close. */
const ERROR = "error ";

/**
 * A line, and the same line back, from an echo server of whatever make. A text of several lines is sent as one, written
 * as the relay's protocol does.
 */
export function echoExchange(
  text: string,
  { maxLine, isMessage }: EchoExchangeOptions,
): RequestReply<string> {
  const question = escapeText(text);
  const judged = (line: string): Answered => {
    if (line === question) return { text };
    const other = readable(line);
    return line.startsWith(ERROR) && !isMessage(other)
      ? { complaint: line.slice(ERROR.length) }
      : { text: other };
  };
  return {
    codec: lineCodec({ maxLine }),
    question,
    answer: () => ({
      push: judged,
      end: () => undefined,
    }),
  };
}

/**
 * A request of HTTP for `/`, and the whole of a response that says that all is well, from a server of whatever make.
 *
 * @param text The message that the response is counted for; it is not sent
 * @param host The server's name and port, for the request
 */
export function httpExchange(text: string, host: string): RequestReply<Uint8Array> {
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: okline\r\nConnection: close\r\n\r\n`;
  return {
    codec: bytesCodec,
    question: new TextEncoder().encode(request),
    answer: () => {
      const reader = new ResponseReader();
      let told = false;
      const judged = (): Answered | undefined => {
        if (told) return undefined;
        const { status, complete, strayLine } = reader;
        told = strayLine !== undefined || complete;
        if (strayLine?.startsWith(ERROR)) return { complaint: strayLine.slice(ERROR.length) };
        if (!complete || status === undefined) return undefined;
        return status >= 200 && status < 400 ? { text } : { error: `HTTP status ${status}` };
      };
      return {
        push: (bytes) => {
          reader.push(bytes);
          return judged();
        },
        end: () => {
          reader.end();
          return judged();
        },
      };
    },
  };
}

/** A line that came back, as a text where it is one, so that whose it was can be told. */
function readable(line: string): string {
  try {
    return unescapeText(line);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return line;
  }
}
