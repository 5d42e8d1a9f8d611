/** The output of a program: results on stdout, log messages on stderr. @module */
import { red, yellow } from "@std/fmt/colors";
import { fillTemplate, literally, LOG_LEVELS, type LogFields, type LogLevel } from "./log_message.ts";
import { hasColor, lineWriter, safeJson, type Sink } from "./write.ts";

/** Writes log messages of some levels in some format. */
export interface LogWriter {
  /** The lowest level that is written. */
  readonly lowest: LogLevel;
  /**
   * Writes a message.
   *
   * @param template The message. With `fields`, `{name}` stands for the field of that name.
   * @param options.all Never leave the message out, however often its template repeats.
   */
  write(level: LogLevel, template: string, fields?: LogFields, options?: { readonly all?: boolean }): void;
}

/** Options for {@linkcode Log}. */
export interface LogOptions {
  /** Print results as JSON, one object per line, and their text as a log message. Default `false`. */
  readonly json?: boolean;
  /** Leave out messages below warnings. Default `false`. */
  readonly quiet?: boolean;
  /** Writes the log messages. Default: as text to `stderr`. */
  readonly writer?: LogWriter;
  /** Default `Deno.stdout`. */
  readonly stdout?: Sink;
  /** Default `Deno.stderr`. */
  readonly stderr?: Sink;
  /** Never use colors. Default: whether `NO_COLOR` is set. Only a terminal gets colors. */
  readonly noColor?: boolean;
}

/**
 * Prints results and log messages. Every line is written before the call returns, so that none is lost when the program
 * exits. Text from peers must pass through `printable` first.
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
  readonly #json: boolean;
  readonly #print: (line: string) => void;
  readonly #writer: LogWriter;

  constructor({ json = false, quiet = false, stdout = Deno.stdout, writer, ...options }: LogOptions = {}) {
    this.#json = json;
    this.#print = lineWriter(stdout);
    this.#writer = writer ?? new TextLogWriter({ lowest: quiet ? "warning" : "info", ...options });
  }

  /** Prints a result: `text` for people, `record` for machines. */
  result(text: string, record: LogFields): void {
    this.#print(this.#json ? safeJson(record) : text);
    if (this.#json) this.#writer.write("info", literally(text), record, { all: true });
  }

  /** Whether messages of this level are written: for those that cost something to make. */
  writes(level: LogLevel): boolean {
    return isWritten(level, this.#writer);
  }

  /** Logs details for a search for the cause of a problem. */
  debug(template: string, fields?: LogFields): void {
    this.#writer.write("debug", template, fields);
  }

  /** Logs normal operation. */
  info(template: string, fields?: LogFields): void {
    this.#writer.write("info", template, fields);
  }

  /** Logs one of many similar things, each of which counts, such as a connection that a proxy has passed on. */
  access(template: string, fields?: LogFields): void {
    this.#writer.write("info", template, fields, { all: true });
  }

  /** Logs what an operator should know, though the program continues. */
  warn(template: string, fields?: LogFields): void {
    this.#writer.write("warning", template, fields);
  }

  /** Logs a failure. */
  error(template: string, fields?: LogFields): void {
    this.#writer.write("error", template, fields);
  }
}

/** Options for {@linkcode TextLogWriter}. */
export interface TextLogOptions extends Pick<LogOptions, "stderr" | "noColor"> {
  /** The lowest level that is written. Default `"info"`. */
  readonly lowest?: LogLevel;
}

/** Writes log messages as text: warnings and errors with a label, everything else as it is. */
export class TextLogWriter implements LogWriter {
  readonly lowest: LogLevel;
  readonly #print: (line: string) => void;
  readonly #colored: boolean;

  constructor({ lowest = "info", stderr = Deno.stderr, noColor }: TextLogOptions = {}) {
    this.lowest = lowest;
    this.#print = lineWriter(stderr);
    this.#colored = hasColor(stderr, noColor);
  }

  write(level: LogLevel, template: string, fields?: LogFields): void {
    if (!isWritten(level, this)) return;
    const text = fillTemplate(template, fields);
    if (level === "warning" || level === "error") {
      const paint = level === "error" ? red : yellow;
      const label = `${level}:`;
      this.#print(`${this.#colored ? paint(label) : label} ${text}`);
    } else this.#print(text);
  }
}

function isWritten(level: LogLevel, { lowest }: Pick<LogWriter, "lowest">): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(lowest);
}
