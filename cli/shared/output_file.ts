/** Files that a program writes as a whole, once its work is done. @module */
import { ExitError, UsageError } from "../terminal/exit.ts";
import { custom, type Option } from "../args/option.ts";
import { quoted } from "../../internal/printable.ts";
import { WholeFile, writeWholeFile } from "../../internal/whole_file.ts";
import { fileError } from "./file_error.ts";

/** An option that names a file to write. `-` is rejected, because stdout has the results of the program itself. */
export function outputFile(help: string, placeholder = "FILE"): Option<string | undefined> {
  const accepts = "the name of a file, not - (--json prints to stdout)";
  return custom((text) => {
    if (text !== "" && text !== "-") return text;
    throw new RangeError(`Expected ${accepts}, got ${quoted(text)}`);
  }, { help, accepts, placeholder });
}

/**
 * Checks that files can be written and are different ones, and changes none of them.
 *
 * @param files Files by the option that names each, like `--report`.
 * @throws {UsageError} If two options name one file.
 * @throws {ExitError} If a file cannot be written.
 */
export function assertWritable(files: Readonly<Record<string, string | undefined>>): void {
  const owners = new Map<string, string>();
  for (const [option, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      // Creates a draft and removes it.
      using place = new WholeFile(file);
      if (place.isSpecial) continue;
      const owner = owners.get(place.path);
      if (owner !== undefined) {
        throw new UsageError(
          `Cannot write ${quoted(file)} for ${owner} and ${option}: expected two different files`,
        );
      }
      owners.set(place.path, option);
    } catch (cause) {
      throw cause instanceof ExitError ? cause : fileError(`write ${quoted(file)}`, cause);
    }
  }
}

/**
 * Writes a file. Readers see either the old content or all of the new one.
 *
 * @throws {ExitError} If it cannot be written; its old content is kept then.
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await writeWholeFile(file, text);
  } catch (cause) {
    throw fileError(`write ${quoted(file)}`, cause);
  }
}
