/** Lines of HTTP: ended by CRLF and nothing else, bounded. Pure. @module */
import { ByteQueue } from "../internal/byte_queue.ts";
import { latin1 } from "./grammar.ts";
import { HttpError } from "./errors.ts";

const LF = 10;
const CR = 13;

/** One taken line, and how many bytes of the input were used for it. */
export interface TakenLine {
  /** The line without its CRLF; undefined while its end has not come. */
  readonly line: string | undefined;
  readonly used: number;
}

/** Gathers one line after another from bytes that come in any pieces. A byte is looked at once. */
export class LineReader {
  readonly #partial = new ByteQueue();

  /** Bytes of the line under way. */
  get size(): number {
    return this.#partial.size;
  }

  /**
   * Takes bytes up to the end of the line, or all of them.
   *
   * @param limit Bytes the line may have, its CRLF not counted.
   * @param overLimit The error for a longer one.
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
