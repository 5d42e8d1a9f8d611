/** Writes the history of a run to a file, and reads it again. @module */
import { TextLineStream } from "@std/streams/text-line-stream";
import type { HistoryEvent } from "./history.ts";
import { HistoryDigest } from "./history_digest.ts";
import { HistoryJudge, type JudgedHistory } from "./history_judge.ts";

const BUFFER_BYTES = 64 * 1024;

/** A file of JSON lines that grows as events come; its last line is the verdict. */
export class HistoryFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #digest = new HistoryDigest();
  readonly #encoder = new TextEncoder();
  #text = "";

  /** Creates the file, or empties it. */
  constructor(path: string | URL) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /** Writes an event. The file sees it later, and at the latest when it is closed. */
  write(event: HistoryEvent): void {
    this.writeLine(JSON.stringify(event));
  }

  /** Writes an event that is a line of JSON already. */
  writeLine(line: string): void {
    this.#digest.add(line);
    this.#text += line + "\n";
    if (this.#text.length >= BUFFER_BYTES) this.#flush();
  }

  /** Writes the verdict, with what it takes to tell later whether the lines before it are still the same. */
  writeVerdict(verdict: string, crossed: readonly string[]): void {
    const event: HistoryEvent = { event: "verdict", verdict, crossed, ...this.#digest.result() };
    this.#text += JSON.stringify(event) + "\n";
  }

  [Symbol.dispose](): void {
    this.#flush();
    this.#file.close();
  }

  #flush(): void {
    let bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
  }
}

/** The lines of a text file, one by one. */
export async function* readLines(path: string | URL): AsyncGenerator<string> {
  const file = await Deno.open(path);
  yield* file.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
}

/**
 * Judges the history in a file.
 *
 * @throws {HistoryError} If a line of it is no event.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function judgeHistoryFile(path: string | URL): Promise<JudgedHistory> {
  const judge = new HistoryJudge();
  for await (const line of readLines(path)) judge.push(line);
  return judge.end();
}
