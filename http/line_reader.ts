/** HTTP lines: they end with CRLF and nothing else, and have a limit. Pure. @module */
import { ByteQueue } from "../internal/byte_queue.ts";
import { latin1 } from "./grammar.ts";
import { HttpError } from "./errors.ts";

const LF = 10;
const CR = 13;

/** A line, and the number of bytes of the input that it used. */
export interface TakenLine {
  /** The line without its CRLF, or undefined if its end has not arrived. */
  readonly line: string | undefined;
  readonly used: number;
}

/** Reads one line after another from bytes in pieces of any size. It looks at each byte once. */
export class LineReader {
  readonly #partial = new ByteQueue();

  /** Bytes of the incomplete line. */
  get size(): number {
    return this.#partial.size;
  }

  /**
   * Takes bytes up to the end of the line, or all of them.
   *
   * @param limit The longest line, in bytes, without its CRLF.
   * @param overLimit Creates the error for a longer one.
   * @throws {HttpError} 400 if the line ends with a bare LF; `overLimit()`.
   */
  take(bytes: Uint8Array, limit: number, overLimit: () => HttpError): TakenLine {
    const end = bytes.indexOf(LF);
    const piece = end < 0 ? bytes : bytes.subarray(0, end);
    if (this.#partial.size + piece.length > limit + 1) throw overLimit();
    this.#partial.push(piece);
    if (end < 0) return { line: undefined, used: piece.length };
    const whole = this.#partial.take();
    if (whole.at(-1) !== CR) throw new HttpError(400, "Line ends with LF alone: CRLF is required");
    return { line: latin1(whole.subarray(0, -1)), used: end + 1 };
  }
}
