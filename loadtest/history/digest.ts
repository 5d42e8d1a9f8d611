/** A digest over the lines of a history, so that one changed later is told from the one that was written. @module */
import { createHash, type Hash } from "node:crypto";

/** Lines added up by SHA-256. */
export class HistoryDigest {
  readonly #hash: Hash = createHash("sha256");
  #lines = 0;

  /** Adds the next line, given without its LF. */
  add(line: string): void {
    this.#hash.update(line).update("\n");
    this.#lines++;
  }

  /** The count of the lines so far, and their digest in hexadecimal. */
  result(): { lines: number; sha256: string } {
    return { lines: this.#lines, sha256: this.#hash.copy().digest("hex") };
  }
}
