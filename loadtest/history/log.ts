/** A history as lines of text: events, then the verdict with a digest of all lines before it. @module */
import type { HistoryEvent } from "./events.ts";
import { HistoryDigest } from "./digest.ts";
import { formatHistoryLine } from "./line_format.ts";

/** Formats a history line by line. */
export class HistoryLog {
  readonly #write: (line: string) => void;
  readonly #digest = new HistoryDigest();

  /** @param write Receives each line, without its LF */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Adds an event. */
  add(event: HistoryEvent): void {
    this.addLine(formatHistoryLine(event));
  }

  /** Adds an event that is already a line of JSON. */
  addLine(line: string): void {
    this.#digest.add(line);
    this.#write(line);
  }

  /** Adds the verdict and the digest. */
  finish(verdict: string, crossed: readonly string[]): void {
    this.#write(formatHistoryLine({ event: "verdict", verdict, crossed, ...this.#digest.result() }));
  }
}
