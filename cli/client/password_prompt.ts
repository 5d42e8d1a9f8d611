/** A password from the terminal. @module */
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { writeText } from "../terminal/write.ts";

/** Prompts on stderr, because stdout may be a file, and does not show the typed text. */
export async function promptPassword(question: string): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const readline = createInterface({ input: process.stdin, output: unseen, terminal: true });
  // Ctrl-C and Ctrl-D: an empty answer.
  const closed = new Promise<string>((resolve) => readline.once("close", () => resolve("")));
  writeText(Deno.stderr, question);
  try {
    return await Promise.race([readline.question(""), closed]);
  } finally {
    readline.close();
    writeText(Deno.stderr, "\n");
  }
}
