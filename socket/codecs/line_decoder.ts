/** Splits bytes into lines of limited length. Pure. @module */
import { isUtf8 } from "node:buffer";
import { isClientHello } from "../../internal/tls_hello.ts";
import { plural } from "../../internal/plural.ts";
import { FramingError } from "../errors.ts";
import type { Decoded, Decoder } from "./codec.ts";
import { Line, type LineSink } from "./line.ts";
import { decodeUtf8 } from "./utf8.ts";

/** The default maximum length of a line in bytes, without its line end: 64 KiB. */
export const DEFAULT_MAX_LINE = 64 * 1024;

const LF = 10;
const CR = 13;
const REPLACEMENT = "\uFFFD";
const BYTES_A_UNIT = 3; // at most, in UTF-8, for each unit of UTF-16
const NO_LINES: Decoded<string> = { frames: [] };
const NOTHING = new Uint8Array(0);
/** The first byte that is not ASCII. */
const NOT_ASCII = 0x80;
// Lines up to this many bytes are searched byte by byte.
const NEAR = 64;

// Shared by all decoders: they decode only whole lines, so they keep no state between calls.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The line that a sink gets. */
const line = new Line();

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
  #error: FramingError | undefined;

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
    if (this.#isTls(bytes)) return { frames: [], error: tlsError() };
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

  /**
   * Decodes the next bytes of the stream as {@linkcode LineDecoder.push} does, but passes each line to a sink, as bytes.
   *
   * @returns The number of lines. {@linkcode LineDecoder.error} is set if an error came after them.
   */
  pushLines(bytes: Uint8Array, sink: LineSink): number {
    if (this.#isTls(bytes)) {
      this.#error = tlsError();
      return 0;
    }
    let start = 0;
    let count = 0;
    if (this.#held > 0) {
      const first = bytes.indexOf(LF);
      if (first < 0) {
        this.#error = this.#hold(bytes);
        return 0;
      }
      this.#append(bytes.subarray(0, first));
      if (!this.#pass(this.#tail, 0, this.#held, false, sink)) return 0;
      this.#held = 0;
      start = first + 1;
      count = 1;
    }
    const { length } = bytes;
    while (start < length) {
      // Most lines are short, and ASCII: one pass over their bytes costs less than a call that finds the end.
      const near = Math.min(length, start + NEAR);
      let end = start;
      let bits = 0;
      for (; end < near; end++) {
        const byte = bytes[end]!;
        if (byte === LF) break;
        bits |= byte;
      }
      if (end === near && near < length) {
        bits = NOT_ASCII;
        end = bytes.indexOf(LF, near);
      }
      if (end < 0 || end === length) {
        this.#error = this.#hold(bytes.subarray(start));
        return count;
      }
      if (!this.#pass(bytes, start, end, bits < NOT_ASCII, sink)) return count;
      count++;
      start = end + 1;
    }
    this.#tail = NOTHING; // An idle connection should hold no memory.
    return count;
  }

  /** The error that ended the stream in {@linkcode LineDecoder.pushLines}, if any. */
  get error(): FramingError | undefined {
    return this.#error;
  }

  /** Ends the stream. Returns an error if it ends inside a line. */
  end(): FramingError | undefined {
    if (this.#held === 0) return undefined;
    return new FramingError(
      "unterminated",
      `Input ended inside a line, ${plural(this.#held, "byte")} after its start`,
    );
  }

  /** Whether the stream begins as TLS. */
  #isTls(bytes: Uint8Array): boolean {
    if (this.#begun) return false;
    this.#begun = true;
    return isClientHello(bytes);
  }

  /** Passes a line to the sink, or sets `#error` and returns `false` if it is not valid. */
  #pass(bytes: Uint8Array, start: number, lineEnd: number, isAscii: boolean, sink: LineSink): boolean {
    const end = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (end - start > this.#maxLine) {
      this.#error = this.#tooLong();
      return false;
    }
    if (!isAscii && !isUtf8(bytes.subarray(start, end))) {
      this.#error = notUtf8();
      return false;
    }
    line.bytes = bytes;
    line.start = start;
    line.end = end;
    sink.takeLine(line);
    return true;
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
    const text = decodeUtf8(bytes, 0, last);
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
        return { frames, error: notUtf8() };
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

function withoutCr(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function notUtf8(): FramingError {
  return new FramingError("invalid-utf8", "Line is not valid UTF-8");
}

function tlsError(): FramingError {
  return new FramingError("tls", "This port speaks plain text, not TLS");
}

/** @throws {RangeError} If `maxLine` is not an integer of at least 1. */
export function assertMaxLine(maxLine: number, name = "maxLine"): void {
  if (Number.isInteger(maxLine) && maxLine >= 1) return;
  throw new RangeError(`Cannot use ${name} ${maxLine}: expected an integer of at least 1`);
}
