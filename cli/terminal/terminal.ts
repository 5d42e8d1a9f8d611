/** Whether the terminal that a program was started at is still there. @module */

/** One of the standard streams. */
export interface TerminalStream {
  isTerminal(): boolean;
}

/**
 * Remembers which of the standard streams are a terminal now, and tells afterwards whether it has hung up: the system says of such
 * a stream that it is none any more.
 *
 * @param streams Default: stdin, stdout and stderr.
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
