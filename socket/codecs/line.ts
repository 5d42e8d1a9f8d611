/** A line as bytes, which costs no string. Pure. @module */
import type { LineRun } from "./line_run.ts";
import { decodeUtf8 } from "./utf8.ts";

const LF = "\n";
/** Copying this many bytes one by one costs as much as a call. */
export const SHORT_COPY = 48;
const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

/**
 * A line of UTF-8 without its line end: a part of some memory, often of a read buffer. Then it is good only until the call
 * that gets it returns.
 *
 * A relay that passes lines on needs no strings: to make, hash, join, and encode them takes two fifths of its
 * own time.
 *
 * @example
 * ```ts
 * import { Line } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const line = Line.of("message ☕ at 5");
 * assertEquals([line.length, `${line}`, line.text(8)], [16, "message ☕ at 5", "☕ at 5"]);
 * ```
 */
export class Line {
  /** Memory that contains the line. */
  bytes: Uint8Array;
  /** Index of its first byte. */
  start: number;
  /** Index after its last byte. */
  end: number;

  /** Creates a line from a part of some memory, which is not copied and must contain no LF. */
  constructor(bytes: Uint8Array = NOTHING, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /**
   * Encodes a line.
   *
   * @param text A lone surrogate in it becomes U+FFFD.
   * @throws {TypeError} If it contains a line feed.
   */
  static of(text: string): Line {
    assertOneLine(text);
    return new Line(encoder.encode(text));
  }

  /** Its length in bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** Whether it begins with some bytes. */
  startsWith(prefix: Uint8Array): boolean {
    const { bytes, start } = this;
    if (this.end - start < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
    return true;
  }

  /** Whether this line from byte `from` on equals another one from byte `otherFrom` on. */
  endsAs(other: Line, from: number, otherFrom: number): boolean {
    const { bytes, end } = this;
    const { bytes: others } = other;
    let theirs = other.start + otherFrom;
    let ours = this.start + from;
    if (end - ours !== other.end - theirs) return false;
    while (ours < end) if (bytes[ours++] !== others[theirs++]) return false;
    return true;
  }

  /** Returns its text from byte `from` on. Default 0. */
  text(from = 0): string {
    return decodeUtf8(this.bytes, this.start + from, this.end);
  }

  /** Returns its text. */
  toString(): string {
    return this.text();
  }
}

/** Takes the lines of a read one by one. */
export interface LineSink {
  /** Takes a line, which is good until this returns. */
  takeLine(line: Line): void;
}

/** Sends lines. */
export interface LineSender {
  /**
   * Queues a line, which it copies. Never waits.
   *
   * @returns `false` if the peer falls behind, or the connection is closed.
   */
  sendLine(line: Line): boolean;
  /**
   * Sends lines that lie next to each other. If nothing is pending, the socket gets them within this call, and without a copy;
   * what it does not take is queued. Never waits.
   *
   * @returns `false` if the peer falls behind, or the connection is closed.
   */
  sendLines(lines: LineRun): boolean;
}

/**
 * Throws for text that is not one line: text from one peer must never become a line of its own for another.
 *
 * @throws {TypeError} If it contains a line feed.
 */
export function assertOneLine(text: string): void {
  if (!text.includes(LF)) return;
  throw new TypeError(
    `Cannot send ${JSON.stringify(text.slice(0, 40))} as a line: it contains a line feed`,
  );
}

/** Copies the bytes from `start` to `end` to index `at` of other memory. */
export function copyBytes(bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > SHORT_COPY) to.set(bytes.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at++] = bytes[i]!;
}
