/** The codec for lines of limited length. Pure. @module */
import { Buffer } from "node:buffer";
import { isClientHello } from "../../internal/tls_hello.ts";
import type { Codec, Decoded, Decoder, Encoder } from "./codec.ts";
import { plural } from "../../internal/plural.ts";
import { encodeUtf8, encodeUtf8Into } from "./utf8.ts";
import { FramingError } from "../errors.ts";

/** The default maximum length of a line in bytes, without its line end: 64 KiB. */
export const DEFAULT_MAX_LINE = 64 * 1024;

const LF = 10;
const CR = 13;
const REPLACEMENT = "\uFFFD";
const BYTES_A_UNIT = 3; // at most, in UTF-8, for each unit of UTF-16
const NO_LINES: Decoded<string> = { frames: [] };
const NOTHING = new Uint8Array(0);

// Shared by all decoders: they decode only whole lines, so they keep no state between calls.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder("utf-8", { ignoreBOM: true });
// A TextDecoder call costs more than a Buffer call, but a tenth per byte. At this length they cost the same.
const SHORT = 256;

/**
 * Splits bytes into lines of UTF-8 that end in LF or CRLF.
 *
 * The limit counts the bytes of a line without its line end, and is exact: a line of `maxLine` bytes passes,
 * one byte more is an error as soon as that byte is seen, so memory is bounded by the limit. The time is linear in the
 * bytes, however they are cut into chunks.
 *
 * @example
 * ```ts
 * import { LineDecoder } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new LineDecoder();
 * const bytes = new TextEncoder().encode("one\r\ntwo\nthr");
 * assertEquals(decoder.push(bytes).frames, ["one", "two"]);
 * assertEquals(decoder.end()?.code, "unterminated");
 * ```
 */
export class LineDecoder implements Decoder<string> {
  readonly #maxLine: number;
  /** The start of a line whose end has not come yet; filled up to `#held`, grown by doubling. */
  #tail = NOTHING;
  #held = 0;
  #begun = false;

  /**
   * Creates a decoder for one stream.
   *
   * @param maxLine Maximum length of a line in bytes, without its line end. Default 64 KiB.
   * @throws {RangeError} If it is not an integer of at least 1.
   */
  constructor(maxLine: number = DEFAULT_MAX_LINE) {
    assertMaxLine(maxLine);
    this.#maxLine = maxLine;
  }

  /** Decodes the next bytes of the stream. */
  push(bytes: Uint8Array): Decoded<string> {
    if (!this.#begun) {
      this.#begun = true;
      if (isClientHello(bytes)) {
        return { frames: [], error: new FramingError("tls", "This port speaks plain text, not TLS") };
      }
    }
    const last = bytes.lastIndexOf(LF);
    if (last < 0) {
      const error = this.#hold(bytes);
      return error === undefined ? NO_LINES : { frames: [], error };
    }
    const decoded = this.#held === 0 ? this.#decode(bytes, last) : this.#decodeJoined(bytes, last);
    if (decoded.error !== undefined) return decoded;
    if (last === bytes.length - 1) {
      this.#tail = NOTHING; // An idle connection should hold no memory.
      return decoded;
    }
    const error = this.#hold(bytes.subarray(last + 1));
    return error === undefined ? decoded : { frames: decoded.frames, error };
  }

  /** Ends the stream. Returns an error if it ends inside a line. */
  end(): FramingError | undefined {
    if (this.#held === 0) return undefined;
    return new FramingError(
      "unterminated",
      `Input ended inside a line, ${plural(this.#held, "byte")} after its start`,
    );
  }

  /** Lines of what was held and the bytes up to `last`. What follows the first LF is decoded where it is. */
  #decodeJoined(bytes: Uint8Array, last: number): Decoded<string> {
    const first = bytes.indexOf(LF);
    this.#append(bytes.subarray(0, first));
    const begun = this.#decode(this.#tail, this.#held);
    this.#held = 0;
    if (begun.error !== undefined || first === last) return begun;
    const whole = this.#decode(bytes.subarray(first + 1), last - first - 1);
    return { ...whole, frames: [...begun.frames, ...whole.frames] };
  }

  /** Lines of the bytes up to `last`, where the last line end is, or was. */
  #decode(bytes: Uint8Array, last: number): Decoded<string> {
    const text = decodeLeniently(bytes, last);
    // Either it was sent, or it replaces invalid UTF-8. Then the lines before the invalid one still count.
    if (text.includes(REPLACEMENT)) return this.#decodeEach(bytes.subarray(0, last));
    const frames = text.includes("\n") ? text.split("\n") : [text];
    // If all bytes are within the limit, so is each line.
    if (last > this.#maxLine && frames.some((line) => line.length * BYTES_A_UNIT > this.#maxLine)) {
      return this.#decodeEach(bytes.subarray(0, last));
    }
    if (text.includes("\r")) {
      for (let i = 0; i < frames.length; i++) frames[i] = withoutCr(frames[i]!);
    }
    return { frames };
  }

  /** Line by line, each held against the limit and checked on its own. */
  #decodeEach(whole: Uint8Array): Decoded<string> {
    const frames: string[] = [];
    for (let start = 0; start <= whole.length;) {
      const found = whole.indexOf(LF, start);
      const lineEnd = found < 0 ? whole.length : found;
      const end = lineEnd > start && whole[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
      if (end - start > this.#maxLine) return { frames, error: this.#tooLong() };
      try {
        frames.push(utf8.decode(whole.subarray(start, end)));
      } catch {
        return { frames, error: new FramingError("invalid-utf8", "Line is not valid UTF-8") };
      }
      start = lineEnd + 1;
    }
    return { frames };
  }

  /** Keeps bytes without an LF until the rest of their line comes. */
  #hold(bytes: Uint8Array): FramingError | undefined {
    const size = this.#held + bytes.length;
    // One byte more than the limit may be the CR of a CRLF.
    const last = bytes.length > 0 ? bytes[bytes.length - 1] : this.#tail[this.#held - 1];
    if (size > this.#maxLine + (last === CR ? 1 : 0)) return this.#tooLong();
    this.#append(bytes);
    return undefined;
  }

  #append(bytes: Uint8Array): void {
    const size = this.#held + bytes.length;
    if (size > this.#tail.length) {
      const grown = new Uint8Array(Math.max(size, Math.min(2 * this.#tail.length, this.#maxLine + 1)));
      grown.set(this.#tail.subarray(0, this.#held));
      this.#tail = grown;
    }
    this.#tail.set(bytes, this.#held);
    this.#held = size;
  }

  #tooLong(): FramingError {
    return new FramingError("line-too-long", `Line is over the limit of ${plural(this.#maxLine, "byte")}`);
  }
}

function assertMaxLine(maxLine: number, name = "maxLine"): void {
  if (Number.isInteger(maxLine) && maxLine >= 1) return;
  throw new RangeError(`Cannot use ${name} ${maxLine}: expected an integer of at least 1`);
}

/** Decodes UTF-8, with {@linkcode REPLACEMENT} for invalid bytes. */
function decodeLeniently(bytes: Uint8Array, end: number): string {
  if (end > SHORT) return lenientUtf8.decode(bytes.subarray(0, end));
  return Buffer.prototype.toString.call(bytes, "utf8", 0, end);
}

function withoutCr(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

class LineEncoder implements Encoder<string> {
  // V8 joins strings lazily: gathering costs little, and the text is laid out once, when it is taken.
  #text = "";

  get size(): number {
    return this.#text.length;
  }

  push(line: string): void {
    // Checked here for every service: text from one peer must never become a line of its own for another.
    if (line.includes("\n")) {
      throw new TypeError(
        `Cannot send ${JSON.stringify(line.slice(0, 40))} as a line: it contains a line feed`,
      );
    }
    this.#text += line + "\n";
  }

  take(): Uint8Array {
    const bytes = encodeUtf8(this.#text);
    this.#text = "";
    return bytes;
  }

  takeInto(buffer: Uint8Array): number | undefined {
    const count = encodeUtf8Into(this.#text, buffer);
    if (count !== undefined) this.#text = "";
    return count;
  }
}

/**
 * Returns a codec for lines of UTF-8: one string per line, without its line end. Sent lines end in LF and cannot contain
 * one. A CR at the end of a sent line becomes part of the line end, and a lone surrogate becomes U+FFFD.
 *
 * @param options.maxLine Maximum length of a received line in bytes, without its line end. Default 64 KiB.
 * @throws {RangeError} If `maxLine` is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { lineCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lineCodec({ maxLine: 80 });
 * const encoder = codec.encoder();
 * encoder.push("hello");
 * const bytes = encoder.take();
 * assertEquals(new TextDecoder().decode(bytes), "hello\n");
 * assertEquals(codec.decoder().push(bytes).frames, ["hello"]);
 * ```
 */
export function lineCodec(options: { maxLine?: number } = {}): Codec<string> {
  const maxLine = options.maxLine ?? DEFAULT_MAX_LINE;
  assertMaxLine(maxLine); // Immediately, not with the first connection.
  return { copies: true, decoder: () => new LineDecoder(maxLine), encoder: () => new LineEncoder() };
}

/**
 * Returns the default codec of a listener or connection, which is {@linkcode lineCodec} within its limits.
 *
 * @throws {RangeError} If `limits.maxLine` is not an integer of at least 1.
 */
export function lineCodecWithin({ maxLine = DEFAULT_MAX_LINE }: { readonly maxLine?: number } = {}): Codec<
  string
> {
  assertMaxLine(maxLine, "limits.maxLine");
  // A codec has no state, so that the connections of a client with thousands of them can share one.
  if (lastCodec.maxLine !== maxLine) lastCodec = { maxLine, codec: lineCodec({ maxLine }) };
  return lastCodec.codec;
}

let lastCodec = { maxLine: DEFAULT_MAX_LINE, codec: lineCodec() };
