/** Files that a program writes as a whole, once its work is done. @module */
import { basename, dirname, resolve } from "node:path";
import { ExitError, UsageError } from "../terminal/exit.ts";
import { custom, type Option } from "../args/option.ts";
import { quoted } from "../../internal/printable.ts";
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
export async function assertWritable(files: Readonly<Record<string, string | undefined>>): Promise<void> {
  const owners = new Map<string, string>();
  for (const [option, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      const place = await placeOf(file);
      if (place.isSpecial) continue;
      const owner = owners.get(place.path);
      if (owner !== undefined) {
        throw new UsageError(
          `Cannot write ${quoted(file)} for ${owner} and ${option}: expected two different files`,
        );
      }
      owners.set(place.path, option);
      await tryWriting(place);
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
    const { path, isSpecial } = await placeOf(file);
    // A device or a pipe is written in place: renaming a file over it would replace it.
    if (isSpecial) return await Deno.writeTextFile(path, text);
    const draft = draftOf(path);
    try {
      await Deno.writeTextFile(draft, text);
      await Deno.rename(draft, path);
    } catch (cause) {
      await Deno.remove(draft).catch((error: unknown) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
      throw cause;
    }
  } catch (cause) {
    throw fileError(`write ${quoted(file)}`, cause);
  }
}

interface Place {
  /** The absolute path, with symbolic links resolved: a rename must not replace a link. */
  readonly path: string;
  readonly exists: boolean;
  /** Whether it is a device or a pipe. */
  readonly isSpecial: boolean;
}

async function placeOf(file: string): Promise<Place> {
  try {
    const { isFile, isDirectory } = await Deno.stat(file);
    if (isDirectory) throw new Deno.errors.IsADirectory();
    return { path: await Deno.realPath(file), exists: true, isSpecial: !isFile };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const folder = await Deno.realPath(dirname(resolve(file)));
    return { path: `${folder}/${basename(file)}`, exists: false, isSpecial: false };
  }
}

/** Opens an existing file without changing it, and creates and removes a draft next to it. */
async function tryWriting({ path, exists }: Place): Promise<void> {
  if (exists) (await Deno.open(path, { write: true })).close();
  const draft = draftOf(path);
  (await Deno.open(draft, { write: true, createNew: true })).close();
  await Deno.remove(draft);
}

function draftOf(path: string): string {
  return `${path}.${crypto.randomUUID()}.tmp`;
}
