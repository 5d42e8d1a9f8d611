/** Text files that the user names. @module */
import { quoted } from "../../internal/printable.ts";
import { fileError } from "./file_error.ts";

/**
 * Reads a text file, without the byte order mark that some editors put at its start.
 *
 * @param doing The purpose for the error, like `read "a.pem"`. Default: `read` and the file.
 * @throws {ExitError} If the file cannot be read.
 */
export async function readTextFile(file: string, doing = `read ${quoted(file)}`): Promise<string> {
  try {
    return withoutMark(await Deno.readTextFile(file));
  } catch (cause) {
    throw fileError(doing, cause);
  }
}

/** Returns a text without the byte order mark at its start, if any. */
export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}
