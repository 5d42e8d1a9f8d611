/** What a program says: results on stdout, remarks on stderr, for people or, with `--json`, for machines. @module */
import { red, yellow } from "@std/fmt/colors";
import { ExitError } from "./exit.ts";

/** Where bytes go: `Deno.stdout`, `Deno.stderr`. */
export interface Sink {
  /** Writes at least one byte, and gives how many. */
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** What a {@linkcode Log} may be told. */
export interface LogOptions {
  /** Results are JSON, an object a line, and what is for people goes to stderr. Default `false`. */
  readonly json?: boolean;
  /** No remarks; results, warnings and errors remain. Default `false`. */
  readonly quiet?: boolean;
  /** Default `Deno.stdout`. */
  readonly stdout?: Sink;
  /** Default `Deno.stderr`. */
  readonly stderr?: Sink;
  /** Default: what `NO_COLOR` says. Only a terminal ever gets colors. */
  readonly noColor?: boolean;
}

/**
 * Says what a program has to say. Every line is written by the time the call returns, so that none is lost when
 * the program exits. Text of strangers goes through `printable` first.
 *
 * @example
 * ```ts
 * import { Log } from "./log.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let out = "";
 * const stdout = {
 *   isTerminal: () => false,
 *   writeSync(bytes: Uint8Array): number {
 *     out += new TextDecoder().decode(bytes);
 *     return bytes.length;
 *   },
 * };
 * const log = new Log({ json: true, quiet: true, stdout });
 * log.result("listening on 127.0.0.1:8000", { event: "listening", port: 8000 });
 * assertEquals(out, '{"event":"listening","port":8000}\n');
 * ```
 */
export class Log {
  readonly #options: Required<LogOptions>;
  readonly #terminals: ReadonlySet<Sink>;

  constructor(options: LogOptions = {}) {
    this.#options = {
      json: false,
      quiet: false,
      stdout: Deno.stdout,
      stderr: Deno.stderr,
      noColor: Deno.noColor,
      ...options,
    };
    const { stdout, stderr } = this.#options;
    this.#terminals = new Set([stdout, stderr].filter((sink) => sink.isTerminal()));
  }

  /** What the program was asked for: `text` for people, `record` for machines. */
  result(text: string, record: Readonly<Record<string, unknown>>): void {
    const { json, quiet, stdout, stderr } = this.#options;
    this.#write(stdout, json ? safeJson(record) : text);
    if (json && !quiet) this.#write(stderr, text);
  }

  /** A remark, for people alone. */
  info(text: string): void {
    if (!this.#options.quiet) this.#write(this.#options.stderr, text);
  }

  /** What a person should know of, though the program goes on. */
  warn(text: string): void {
    this.#remark("warning:", { paint: yellow, text });
  }

  /** What went wrong. */
  error(text: string): void {
    this.#remark("error:", { paint: red, text });
  }

  #remark(label: string, { paint, text }: { paint: (text: string) => string; text: string }): void {
    const { stderr } = this.#options;
    this.#write(stderr, `${hasColor(stderr, this.#options.noColor) ? paint(label) : label} ${text}`);
  }

  /** A terminal that has hung up shows nothing to nobody: what is under way is not to fail for that. */
  #write(sink: Sink, text: string): void {
    try {
      writeLine(sink, text);
    } catch (error) {
      const isIo = error instanceof Error && Reflect.get(error, "code") === "EIO";
      if (!isIo || !this.#terminals.has(sink)) throw error;
    }
  }
}

/** Whether colors may be written to `sink`: it is a terminal, and `NO_COLOR` is not set. */
export function hasColor(sink: Sink, noColor: boolean = Deno.noColor): boolean {
  return !noColor && sink.isTerminal();
}

// JSON spells out the control characters below U+0020 by itself.
const UNSAFE_IN_JSON = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** JSON that does nothing to a terminal, and reads as what it is: the same value to whoever parses it. */
function safeJson(record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(record).replace(UNSAFE_IN_JSON, (character) => {
    const units = character.split("");
    return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  });
}

const encoder = new TextEncoder();

/**
 * Writes `text` and a line end, all of it, before it returns.
 *
 * @throws {ExitError} The reader has gone, as `head` does after its lines; or `sink` is a file on a full disk.
 */
export function writeLine(sink: Sink, text: string): void {
  writeText(sink, `${text}\n`);
}

/** {@linkcode writeLine} without the line end. */
export function writeText(sink: Sink, text: string): void {
  writeBytes(sink, encoder.encode(text));
}

/** {@linkcode writeText} for what is no text. */
export function writeBytes(sink: Sink, bytes: Uint8Array): void {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(sink.writeSync(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) {
        throw new ExitError("Nobody reads the output any more", { cause: error });
      }
      if (error instanceof Error && Reflect.get(error, "code") === "ENOSPC") {
        throw new ExitError("Cannot write the output: no space is left on the device", { cause: error });
      }
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // A pipe or terminal that another program made non-blocking is full: wait, as a blocking one would have.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
