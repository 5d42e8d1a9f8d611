/** A digest of the lines of a history, which detects accidental changes. @module */
import { createHash, type Hash } from "node:crypto";

/** SHA-256 over lines. */
export class HistoryDigest {
  readonly #hash: Hash = createHash("sha256");
  #lines = 0;

  /** Adds the next line, without its LF. */
  add(line: string): void {
    this.#hash.update(line).update("\n");
    this.#lines++;
  }

  /** Returns the number of lines so far, and their digest in hexadecimal. */
  result(): { lines: number; sha256: string } {
    return { lines: this.#lines, sha256: this.#hash.copy().digest("hex") };
  }
}
