/** Line files: written event by event, read in batches. @module */

const BUFFER_BYTES = 64 * 1024;
/** Longest time in ms until a line is written: a killed process loses at most this much. */
const FLUSH_MS = 1000;

/** Options for {@linkcode LineFile}. */
export interface LineFileOptions {
  /** Called once, if a line cannot be written. Default: closing the file throws the error. */
  readonly onFailed?: (error: unknown) => void;
  /** Adds to the file instead of emptying it. Several processes may do so: lines stay whole. Default `false`. */
  readonly append?: boolean;
}

/**
 * A file that grows line by line. If it cannot grow, as on a full disk, further lines are dropped, and writing does not
 * throw, because it is called while connections are being served.
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
   * Creates the file, or empties it unless `append` is set.
   *
   * @throws {Deno.errors.NotFound} And other file errors, if it cannot be created
   */
  constructor(path: string | URL, { onFailed, append = false }: LineFileOptions = {}) {
    this.#onFailed = onFailed;
    this.#file = Deno.openSync(path, { write: true, create: true, append, truncate: !append });
  }

  /** Writes a line, without its LF. The file has it within a second, or when it is closed. */
  write(line: string): void {
    if (this.#failure !== undefined) return;
    this.#text += line + "\n";
    if (this.#text.length >= BUFFER_BYTES) this.#flush();
    else this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /**
   * Writes pending lines, and closes the file. Safe to repeat.
   *
   * @throws {Error} The first time, if a line could not be written and there is no `onFailed`
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

/** Yields the lines of a text file, without their LF, in one batch per read. */
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
