/** Files below one directory, and nothing else. @module */
import { isServedName, PARTIAL_PREFIX } from "./path.ts";
import { isAt } from "./same_file.ts";

/** What the client may be told when a file cannot be served; it names no path of the server. */
export class FileStoreError extends Error {
  override readonly name = "FileStoreError";
}

/** A file, a directory, or what an unfinished upload has left. */
export interface FileEntry {
  readonly type: "file" | "directory" | "partial";
  /** Size in bytes; 0 for a directory. */
  readonly size: number;
  readonly modified: Date;
}

/** A {@linkcode FileEntry} in a listing. */
export interface NamedEntry extends FileEntry {
  readonly name: string;
}

/**
 * The files below a root. A path with a symbolic link in it, wherever that leads, is refused: it is resolved before
 * a file is opened and, since somebody may change it in between, again after that, when the open file has to be the
 * one the path names. Against a local process that can write below the root and swaps directories for links at the
 * right moments that is no full protection, which only opening each directory relative to the one before would give.
 */
export class FileStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * @param root The directory; it may be given through symbolic links.
   * @throws {TypeError} If it is no directory.
   */
  static async open(root: string): Promise<FileStore> {
    const real = await Deno.realPath(root);
    if (!(await Deno.stat(real)).isDirectory) {
      throw new TypeError(`Cannot serve files of ${root}: it is no directory`);
    }
    return new FileStore(real === "/" ? "" : real);
  }

  /**
   * Lists a directory by name. Links and devices are not shown.
   *
   * @param working Called with the number of names read so far; what it throws ends the listing.
   * @returns At the end, the number of names that no path can express: not UTF-8, or with a control character or a
   * backslash.
   */
  async *list(
    names: readonly string[],
    working: (read: number) => void,
  ): AsyncGenerator<NamedEntry, number, undefined> {
    const path = await this.resolve(names);
    const found: string[] = [];
    let omitted = 0;
    await translated(async () => {
      for await (const { name, isFile, isDirectory } of Deno.readDir(path)) {
        if (name.startsWith(PARTIAL_PREFIX) || !isFile && !isDirectory) continue;
        if (isServedName(name)) found.push(name);
        else omitted++;
        working(found.length);
      }
    });
    for (const name of found.sort()) {
      const entry = await lookAt(`${path}/${name}`);
      if (entry) yield { name, ...entry };
      // A name that is not UTF-8 arrives with this character in place of some bytes, so that nothing is found. Any
      // other has been deleted since the directory was read.
      else if (name.includes("\ufffd")) omitted++;
    }
    return omitted;
  }

  /** @throws {FileStoreError} If there is no such file or directory. */
  async stat(names: readonly string[]): Promise<FileEntry> {
    const entry = await lookAt(await this.resolve(names));
    if (!entry) throw new FileStoreError("No such file");
    return entry;
  }

  /**
   * Opens a regular file. The caller closes it.
   *
   * @throws {FileStoreError} If there is none.
   */
  async read(names: readonly string[]): Promise<{ readonly file: Deno.FsFile; readonly size: number }> {
    const path = await this.resolve(names);
    if ((await lookAt(path))?.type === "directory") throw new FileStoreError("Path is a directory");
    const file = await translated(() => Deno.open(path, { read: true }));
    try {
      const opened = await file.stat();
      // Somebody may have put a link there since the path was resolved.
      if (!opened.isFile || !await isAt(path, file) || await this.resolve(names) !== path) {
        throw new FileStoreError("Path is no regular file");
      }
      return { file, size: opened.size };
    } catch (error) {
      file.close();
      throw publicError(error);
    }
  }

  /** Deletes a regular file. */
  async delete(names: readonly string[]): Promise<void> {
    const path = await this.resolve(names);
    const entry = await lookAt(path);
    if (entry?.type === "directory") throw new FileStoreError("Path is a directory");
    await translated(() => Deno.remove(path));
  }

  /** Where an upload is to end up: in a directory that is there, at a name that is free or a file's. */
  async targetPath(names: readonly string[]): Promise<string> {
    const path = `${await this.resolve(names.slice(0, -1))}/${names.at(-1)}`;
    const info = await lstat(path);
    if (info && !info.isFile) throw new FileStoreError("Path is no file");
    return path;
  }

  /**
   * Returns the path on this system.
   *
   * @throws {FileStoreError} If nothing is there, or a link is on the way.
   */
  async resolve(names: readonly string[]): Promise<string> {
    const path = [this.#root, ...names].join("/") || "/";
    const real = await translated(() => Deno.realPath(path));
    if (real !== path) throw new FileStoreError("Path has a symbolic link in it");
    return path;
  }
}

/**
 * Describes what is at a path of this system; undefined if nothing is.
 *
 * @throws {FileStoreError} If it is neither a file nor a directory.
 */
export async function lookAt(path: string): Promise<FileEntry | undefined> {
  const info = await lstat(path);
  if (!info) return undefined;
  if (!info.isFile && !info.isDirectory) throw new FileStoreError("Path is neither a file nor a directory");
  const type = info.isFile ? "file" : "directory";
  return { type, size: info.isFile ? info.size : 0, modified: info.mtime ?? new Date(0) };
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw publicError(error);
  }
}

async function translated<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw publicError(error);
  }
}

/** What a client may know of an error: the system's message would tell it where the root is. */
export function publicError(cause: unknown): FileStoreError {
  if (cause instanceof FileStoreError) return cause;
  const code = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  const reason = cause instanceof Deno.errors.NotFound
    ? "No such file"
    : cause instanceof Deno.errors.NotADirectory || code === "ENOTDIR"
    ? "Path goes through a file"
    : cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable
    ? "Permission denied"
    : code === "ENOSPC" || code === "EDQUOT"
    ? "No space left"
    : "File cannot be reached";
  return new FileStoreError(reason, { cause });
}
