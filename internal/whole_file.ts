/** Files that appear whole: written under another name, then renamed. @module */
import { basename, dirname, resolve } from "node:path";

/**
 * A file to be written at {@linkcode WholeFile.workPath}. {@linkcode WholeFile.commit} puts it in its place, or in that
 * of an earlier file. Until then, and if it is disposed of first, an earlier file is unchanged.
 *
 * A path that exists and is not a regular file, such as a device or a pipe, is written in place, because a rename would
 * replace the device itself.
 *
 * @example
 * ```ts
 * import { WholeFile } from "./whole_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "old");
 * {
 *   using file = new WholeFile(path);
 *   await Deno.writeTextFile(file.workPath, "half");
 * }
 * assertEquals(await Deno.readTextFile(path), "old");
 * await Deno.remove(path);
 * ```
 */
export class WholeFile implements Disposable {
  /** The file to write. */
  readonly workPath: string;
  /** The absolute path of the file, with symbolic links resolved: a rename must not replace a link. */
  readonly path: string;
  /** Whether it is a device or a pipe, which is written in place. */
  readonly isSpecial: boolean;
  readonly #mode: number | null;
  #over = false;

  /**
   * Creates an empty file at the work path, so that a path that cannot be written is detected immediately.
   *
   * @throws {Deno.errors.NotFound} And other file errors, if the file cannot be created
   */
  constructor(path: string) {
    const existing = statIfThere(path);
    if (existing?.isDirectory) throw new Deno.errors.IsADirectory(`Is a directory: ${path}`);
    this.path = existing === undefined
      ? resolve(Deno.realPathSync(dirname(resolve(path))), basename(path))
      : Deno.realPathSync(path);
    this.isSpecial = existing !== undefined && !existing.isFile;
    this.#mode = existing?.mode ?? null;
    if (this.isSpecial) {
      this.workPath = this.path;
      this.#over = true;
      return;
    }
    if (existing !== undefined) Deno.openSync(this.path, { write: true }).close();
    this.workPath = `${this.path}.${Deno.pid}.tmp`;
    Deno.openSync(this.workPath, { write: true, create: true, truncate: true }).close();
  }

  /** Puts the file in its place. */
  commit(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      if (this.#mode !== null && Deno.build.os !== "windows") {
        Deno.chmodSync(this.workPath, this.#mode & 0o7777);
      }
      Deno.renameSync(this.workPath, this.path);
    } catch (error) {
      removeIfThere(this.workPath);
      throw error;
    }
  }

  /** Removes the file unless it has been put in its place. */
  [Symbol.dispose](): void {
    if (this.#over) return;
    this.#over = true;
    removeIfThere(this.workPath);
  }
}

/**
 * Writes a text file in one step: another program sees the old content or the new one, never a part.
 *
 * @throws {Deno.errors.NotFound} And other file errors, if it cannot be written; an earlier file is unchanged
 */
export async function writeWholeFile(path: string, text: string): Promise<void> {
  using file = new WholeFile(path);
  await Deno.writeTextFile(file.workPath, text);
  file.commit();
}

/** Removes a file if it exists. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}
