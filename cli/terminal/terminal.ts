/** Detects when the terminal of a program hangs up. @module */

/** One of the standard streams. */
export interface TerminalStream {
  isTerminal(): boolean;
}

/**
 * Remembers which of the standard streams are a terminal now. Returns a function that detects whether it has hung up:
 * the OS then reports that such a stream is not a terminal anymore.
 *
 * @param streams Default: stdin, stdout, and stderr.
 *
 * @example
 * ```ts
 * import { watchTerminal } from "./terminal.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let there = true;
 * const hungUp = watchTerminal([{ isTerminal: () => there }, { isTerminal: () => false }]);
 * assertEquals(hungUp(), false);
 * there = false;
 * assertEquals(hungUp(), true);
 * ```
 */
export function watchTerminal(
  streams: readonly TerminalStream[] = [Deno.stdin, Deno.stdout, Deno.stderr],
): () => boolean {
  const terminals = streams.filter((stream) => stream.isTerminal());
  return () => terminals.some((stream) => !stream.isTerminal());
}
