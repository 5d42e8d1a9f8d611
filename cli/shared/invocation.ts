/** The command that starts a program, for texts that users copy. @module */
import { programName } from "../run_program.ts";

/** Returns how to start a program: `deno run -A server.ts`, or `okline-server` if it is compiled. */
export function invocation(name: string): string {
  return Deno.build.standalone ? programName(name) : `deno run -A ${programName(name)}`;
}

/** Quotes a word for a POSIX shell. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
