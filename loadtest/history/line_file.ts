/** Files of lines: written as events come, read in batches. @module */

const BUFFER_BYTES = 64 * 1024;
/** How long a written line may wait, ms: who looks on sees it soon, and a killed process leaves nearly all. */
const FLUSH_MS = 1000;

/** What a {@linkcode LineFile} may be told. */
export interface LineFileOptions {
  /** Called once, when a line cannot be written. Default: closing the file throws what the system said. */
  readonly onFailed?: (error: unknown) => void;
}

/**
 * A file that grows line by line. Where it cannot, as on a full disk, what it was to have from there on is dropped, and
 * whoever writes lines goes on: they come from the midst of serving others.
 */
export class LineFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #onFailed: LineFileOptions["onFailed"];
  readonly #encoder = new TextEncoder();
  #text = "";
  #closed = false;
  #failure: { readonly error: unknown } | undefined;
  #flushing: ReturnType<typeof setTimeout> | undefined;

  /**
   * Creates the file, or empties it.
   *
   * @throws {Deno.errors.NotFound} And what else the system says when it cannot be written.
   */
  constructor(path: string | URL, { onFailed }: LineFileOptions = {}) {
    this.#onFailed = onFailed;
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /** Writes a line, given without its LF. The file has it within a second, and at the latest when it is closed. */
  write(line: string): void {
    if (this.#failure !== undefined) return;
    this.#text += line + "\n";
    if (this.#text.length >= BUFFER_BYTES) this.#flush();
    else this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /**
   * Writes what waits, and closes the file; may be repeated.
   *
   * @throws The first time, what the system said when a line could not be written, unless `onFailed` was told.
   */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    this.#file.close();
    if (this.#failure !== undefined && this.#onFailed === undefined) throw this.#failure.error;
  }

  #flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    let bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    try {
      while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
    } catch (error) {
      this.#failure = { error };
      this.#onFailed?.(error);
    }
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
