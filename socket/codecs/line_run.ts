/** Lines that lie next to each other in memory. Pure. @module */
import type { Line } from "./line.ts";

const LF = 10;
const NOTHING = new Uint8Array(0);

/**
 * Lines of UTF-8 that lie next to each other in some memory, each with its LF: a part of it that can be sent as it is.
 *
 * @example
 * ```ts
 * import { LineDecoder } from "./line_decoder.ts";
 * import { LineRun } from "./line_run.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const run = new LineRun();
 * const added: boolean[] = [];
 * const bytes = new TextEncoder().encode("one\ntwo\nthree\r\nfour\n");
 * new LineDecoder().pushLines(bytes, { takeLine: (line) => void added.push(run.add(line)) });
 * assertEquals(added, [true, true, false, false]); // The line end of the third is another one.
 * assertEquals([run.count, run.start, run.end], [2, 0, 8]);
 * ```
 */
export class LineRun {
  /** Memory that contains the lines. */
  bytes: Uint8Array = NOTHING;
  /** Index of their first byte. */
  start = 0;
  /** Index after the last LF. */
  end = 0;
  /** Number of lines. */
  count = 0;

  /**
   * Adds a line.
   *
   * @returns Whether it was added: not if it does not end in LF, or does not follow the lines that are here.
   */
  add({ bytes, start, end }: Line): boolean {
    if (bytes[end] !== LF) return false;
    if (this.count === 0) {
      this.bytes = bytes;
      this.start = start;
    } else if (start !== this.end || bytes !== this.bytes) return false;
    this.end = end + 1;
    this.count++;
    return true;
  }

  /** Removes all lines, and keeps no memory of theirs. */
  clear(): void {
    this.bytes = NOTHING;
    this.count = 0;
  }
}
