/** Writes to the standard streams, whatever they are. @module */
import { ExitError, ReaderGoneError } from "./exit.ts";

/** A destination of bytes, such as `Deno.stdout`. */
export interface Sink {
  /** Writes at least one byte. Returns how many. */
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Returns whether `sink` gets colors: it is a terminal, and `NO_COLOR` is not set. */
export function hasColor(sink: Sink, noColor: boolean = Deno.noColor): boolean {
  return !noColor && sink.isTerminal();
}

/**
 * Returns a function that writes lines to `sink`. If the sink is a terminal that has hung up, lines are dropped: the work in
 * progress must not fail because of that.
 */
export function lineWriter(sink: Sink): (line: string) => void {
  const isTerminal = sink.isTerminal();
  // While a scenario of a load test runs, `Deno.stdout` writes elsewhere.
  const own: Sink = { writeSync: sink.writeSync.bind(sink), isTerminal: () => isTerminal };
  return (line) => {
    try {
      writeLine(own, line);
    } catch (error) {
      const isIo = error instanceof Error && Reflect.get(error, "code") === "EIO";
      if (!isIo || !isTerminal) throw error;
    }
  };
}

const encoder = new TextEncoder();

/**
 * Writes all of `text` and a line end before it returns.
 *
 * @throws {ReaderGoneError} If the reader is gone, as `head` is after its lines.
 * @throws {ExitError} If `sink` is a file on a full disk.
 */
export function writeLine(sink: Sink, text: string): void {
  writeText(sink, `${text}\n`);
}

/** Writes all of `text`, as {@linkcode writeLine} does, without a line end. */
export function writeText(sink: Sink, text: string): void {
  writeBytes(sink, encoder.encode(text));
}

/** Writes all of `bytes`, as {@linkcode writeLine} does. */
export function writeBytes(sink: Sink, bytes: Uint8Array): void {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(sink.writeSync(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) {
        throw new ReaderGoneError({ cause: error });
      }
      if (error instanceof Error && Reflect.get(error, "code") === "ENOSPC") {
        throw new ExitError("Cannot write the output: no space is left on the device", { cause: error });
      }
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // A pipe or terminal that another program made non-blocking is full: wait, as a blocking one does.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// JSON.stringify escapes the control characters below U+0020.
const UNSAFE_IN_JSON = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns JSON without characters that affect a terminal; it parses to the same value. */
export function safeJson(value: Readonly<Record<string, unknown>>): string {
  return escapeUnsafe(JSON.stringify(value));
}

/** Escapes characters of JSON that affect a terminal. */
export function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE_IN_JSON, (character) => {
    const units = character.split("");
    return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  });
}
