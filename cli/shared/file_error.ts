/** Errors about files that the user has named. @module */
import { ExitError } from "../terminal/exit.ts";
import { printable } from "../../internal/printable.ts";

/**
 * Returns an error that ends the program with one line: the failed action and the reason.
 *
 * @param doing The failed action, such as `read "a.pem"`.
 * @param cause The error of the OS. Its message contains a number and a system call, which do not help users.
 */
export function fileError(doing: string, cause: unknown): ExitError {
  return new ExitError(`Cannot ${doing}: ${reason(cause)}`, { cause });
}

/** Returns whether the OS or Deno's permissions prevent the use of a file, which is not a bug of the program. */
export function isFileError(cause: unknown): boolean {
  if (cause instanceof Deno.errors.NotCapable || REASONS.some(([type]) => cause instanceof type)) return true;
  // Errors such as a full disk have no class, and not all have a code, only the number of the OS in their message.
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
