/** The file that a history is kept in: written when a run is over, judged again at any time. @module */
import type { HistoryEvent } from "./events.ts";
import { HistoryDigest } from "./digest.ts";
import { HistoryVerifier, type VerifiedHistory } from "./verify.ts";
import { formatHistoryLine } from "./line_format.ts";
import { LineFile, readLines } from "./line_file.ts";

/** A whole history as it is written: events, and last the verdict with a digest of all before it. */
export class HistoryFile implements Disposable {
  readonly #file: LineFile;
  readonly #digest = new HistoryDigest();

  /** Creates the file, or empties it. */
  constructor(path: string | URL) {
    this.#file = new LineFile(path);
  }

  /** Writes an event. */
  write(event: HistoryEvent): void {
    this.writeLine(formatHistoryLine(event));
  }

  /** Writes an event that is a line of JSON already. */
  writeLine(line: string): void {
    this.#digest.add(line);
    this.#file.write(line);
  }

  /** Writes the verdict, with what it takes to tell later whether the lines before it are still the same. */
  writeVerdict(verdict: string, crossed: readonly string[]): void {
    this.#file.write(formatHistoryLine({ event: "verdict", verdict, crossed, ...this.#digest.result() }));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * Judges the history in a file.
 *
 * @throws {HistoryError} If a line of it is no event.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function verifyHistoryFile(path: string | URL): Promise<VerifiedHistory> {
  const judge = new HistoryVerifier();
  for await (const lines of readLines(path)) for (const line of lines) judge.push(line);
  return judge.end();
}
