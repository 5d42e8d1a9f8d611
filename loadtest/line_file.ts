/** Files of lines: written as events come, read in batches. @module */

const BUFFER_BYTES = 64 * 1024;
/** How long a written line may wait, ms: who looks on sees it soon, and a killed process leaves nearly all. */
const FLUSH_MS = 1000;

/** A file that grows line by line. */
export class LineFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #text = "";
  #closed = false;
  #flushing: ReturnType<typeof setTimeout> | undefined;

  /**
   * Creates the file, or empties it.
   *
   * @throws {Deno.errors.NotFound} And what else the system says when it cannot be written.
   */
  constructor(path: string | URL) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /** Writes a line, given without its LF. The file has it within a second, and at the latest when it is closed. */
  write(line: string): void {
    this.#text += line + "\n";
    if (this.#text.length >= BUFFER_BYTES) this.#flush();
    else this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Writes what waits, and closes the file; may be repeated. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#flush();
    this.#file.close();
    this.#closed = true;
  }

  #flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    let bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
  }
}

/** The lines of a text file, without their LF, as many at a time as one read gave. */
export async function* readLines(path: string | URL): AsyncGenerator<readonly string[]> {
  const file = await Deno.open(path);
  let rest = "";
  for await (const text of file.readable.pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true }))) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
}
