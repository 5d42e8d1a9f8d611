/** Why a file that the user named cannot be read or written. @module */
import { ExitError } from "../terminal/exit.ts";
import { printable } from "../../internal/printable.ts";

/**
 * Ends a program because of a file, with one line that says what was to be done and why it cannot be.
 *
 * @param doing What cannot be done, as in `read "a.pem"`.
 * @param cause What the system said of it. Its own words have a number and a call in them, which help nobody.
 */
export function fileError(doing: string, cause: unknown): ExitError {
  return new ExitError(`Cannot ${doing}: ${reason(cause)}`, { cause });
}

/** Whether the system, or Deno's permissions, keep a file from being used: nothing that the program did wrong. */
export function isFileError(cause: unknown): boolean {
  if (cause instanceof Deno.errors.NotCapable || REASONS.some(([type]) => cause instanceof type)) return true;
  // A full disk and the like have no class of their own, and not each has a code: only the system's number in the words.
  return cause instanceof Error && SYSTEM_NUMBER.test(cause.message);
}

const SYSTEM_NUMBER = / \(os error \d+\).*$/s;

const REASONS = [
  [Deno.errors.NotFound, "no such file or directory"],
  [Deno.errors.IsADirectory, "it is a directory"],
  [Deno.errors.NotADirectory, "part of its path is not a directory"],
  [Deno.errors.PermissionDenied, "the system does not permit it"],
  [Deno.errors.Busy, "another program is writing it"],
] as const;

function reason(cause: unknown): string {
  const known = REASONS.find(([type]) => cause instanceof type);
  const words = cause instanceof Error ? cause.message.replace(SYSTEM_NUMBER, "") : String(cause);
  return known?.[1] ?? printable(words);
}
