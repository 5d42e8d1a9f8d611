/** The file of a history: written when a run is over, and verified at any time. @module */
import type { HistoryEvent } from "./events.ts";
import { HistoryLog } from "./log.ts";
import { HistoryVerifier, type VerifiedHistory } from "./verify.ts";
import { LineFile, readLines } from "./line_file.ts";
import type { LedgerOptions } from "../ledger/ledger.ts";
import { WholeFile } from "../../internal/whole_file.ts";

/** Writes a history: events, then the verdict with a digest of all lines before it. The file appears whole. */
export class HistoryFile implements Disposable {
  readonly #whole: WholeFile;
  readonly #file: LineFile;
  readonly #log = new HistoryLog((line) => this.#file.write(line));

  /** Starts a file that replaces `path` when its verdict is written. */
  constructor(path: string) {
    this.#whole = new WholeFile(path);
    this.#file = new LineFile(this.#whole.workPath);
  }

  /** Writes an event. */
  write(event: HistoryEvent): void {
    this.#log.add(event);
  }

  /** Writes an event that is already a line of JSON. */
  writeLine(line: string): void {
    this.#log.addLine(line);
  }

  /**
   * Writes the verdict and the digest, and puts the file in its place.
   *
   * @throws {Error} What the OS reported if a line could not be written; an earlier file is unchanged
   */
  finish(verdict: string, crossed: readonly string[]): void {
    this.#log.finish(verdict, crossed);
    this.#file[Symbol.dispose]();
    this.#whole.commit();
  }

  /** Removes the file unless it is finished. */
  [Symbol.dispose](): void {
    try {
      this.#file[Symbol.dispose]();
    } finally {
      this.#whole[Symbol.dispose]();
    }
  }
}

/**
 * Verifies the history in a file.
 *
 * @throws {HistoryError} If a line of it is not an event
 * @throws {Deno.errors.NotFound} And other file errors, if it cannot be read
 */
export async function verifyHistoryFile(
  path: string | URL,
  options: Pick<LedgerOptions, "described"> = {},
): Promise<VerifiedHistory> {
  const verifier = new HistoryVerifier(options);
  for await (const lines of readLines(path)) for (const line of lines) verifier.push(line);
  return verifier.end();
}
