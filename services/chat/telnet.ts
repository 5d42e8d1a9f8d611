/** Lines from clients that may be telnet. Pure. @module */
import { lineCodecWithin } from "../../socket/codecs/line_codec.ts";
import { LineDecoder } from "../../socket/codecs/line_decoder.ts";
import type { Codec, Decoded, Decoder, Encoder } from "../../socket/codecs/codec.ts";
import type { FramingError } from "../../socket/errors.ts";

/**
 * A line, or raw bytes of the telnet protocol. Bytes received are the answer to an option that the client asked for:
 * send them back as they are.
 */
export type TelnetFrame = string | Uint8Array;

const NUL = 0;
const LF = 10;
const CR = 13;
// RFC 854, "NVT" commands.
const SE = 240;
const SB = 250;
const WILL = 251;
const WONT = 252;
const DO = 253;
const DONT = 254;
const IAC = 255;

/** Position in the telnet commands: in text, after IAC, after an option verb, in a subnegotiation, after IAC in one. */
type State = "text" | "command" | typeof WILL | typeof WONT | typeof DO | typeof DONT | "sub" | "sub-command";

/**
 * Lines of UTF-8 as {@linkcode lineCodec} has them, without the telnet commands (IAC sequences) between them.
 *
 * Every option that a client offers (WILL) or asks for (DO) is refused. Refusals get no answer, as RFC 1143 requires against
 * loops. All other commands and subnegotiations are skipped. CR NUL ends a line, too (RFC 1123, 3.3.1).
 *
 * UTF-8 has no byte 255, so clients other than telnet lose nothing.
 *
 * @param limits.maxLine Longest line in bytes, without its line end.
 * @throws {RangeError} If `maxLine` is not a positive integer.
 */
export function telnetCodec(limits: { readonly maxLine: number }): Codec<TelnetFrame> {
  const lines = lineCodecWithin(limits);
  return {
    decoder: () => new TelnetDecoder(limits.maxLine),
    encoder: () => new TelnetEncoder(lines.encoder()),
  };
}

class TelnetDecoder implements Decoder<TelnetFrame> {
  readonly #lines: LineDecoder;
  #state: State = "text";
  #afterCr = false;

  constructor(maxLine: number) {
    this.#lines = new LineDecoder(maxLine);
  }

  push(bytes: Uint8Array): Decoded<TelnetFrame> {
    if (this.#state === "text" && !bytes.includes(IAC) && !bytes.includes(NUL)) {
      this.#afterCr = bytes.at(-1) === CR;
      return this.#lines.push(bytes);
    }
    const answers: Uint8Array[] = [];
    const text = this.#textOf(bytes, answers);
    const { frames, error } = this.#lines.push(text);
    const all = answers.length === 0 ? frames : [...answers, ...frames];
    return error === undefined ? { frames: all } : { frames: all, error };
  }

  end(): FramingError | undefined {
    return this.#lines.end();
  }

  /** Returns the bytes that are text, and adds answers to options. */
  #textOf(bytes: Uint8Array, answers: Uint8Array[]): Uint8Array {
    const text = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (this.#state === "text" && byte !== IAC) {
        text[length++] = byte === NUL && this.#afterCr ? LF : byte;
        this.#afterCr = byte === CR;
      } else if (this.#state === "command" && byte === IAC) {
        text[length++] = IAC; // An escaped 255. The line decoder refuses it as invalid UTF-8.
        this.#state = "text";
      } else {
        this.#state = this.#command(byte, answers);
      }
    }
    return text.subarray(0, length);
  }

  #command(byte: number, answers: Uint8Array[]): State {
    switch (this.#state) {
      case "text":
        return "command";
      case "command":
        if (byte === WILL || byte === WONT || byte === DO || byte === DONT) return byte;
        return byte === SB ? "sub" : "text";
      case "sub":
        return byte === IAC ? "sub-command" : "sub";
      case "sub-command":
        return byte === SE ? "text" : "sub";
      case WILL:
        answers.push(Uint8Array.of(IAC, DONT, byte));
        return "text";
      case DO:
        answers.push(Uint8Array.of(IAC, WONT, byte));
        return "text";
      default:
        return "text";
    }
  }
}

class TelnetEncoder implements Encoder<TelnetFrame> {
  readonly #lines: Encoder<string>;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(lines: Encoder<string>) {
    this.#lines = lines;
  }

  get size(): number {
    return this.#partBytes + this.#lines.size;
  }

  push(frame: TelnetFrame): void {
    if (typeof frame === "string") {
      this.#lines.push(frame);
      return;
    }
    if (this.#lines.size > 0) this.#add(this.#lines.take());
    this.#add(frame);
  }

  take(): Uint8Array {
    if (this.#parts.length === 0) return this.#lines.take();
    if (this.#lines.size > 0) this.#add(this.#lines.take());
    const bytes = new Uint8Array(this.#partBytes);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#partBytes = 0;
    return bytes;
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
  }
}
