/** Files below one directory, and nothing else. @module */
import { isServedName, PARTIAL_PREFIX } from "./path.ts";
import { isAt } from "./same_file.ts";

/** Error thrown when a file cannot be served. Its message goes to the client, so it contains no path of the server. */
export class FileStoreError extends Error {
  override readonly name = "FileStoreError";
}

/** A file, a directory, or the start of a file whose upload has not finished. */
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
 * The files below a root. A path that contains a symbolic link is refused, wherever the link leads.
 *
 * The path is resolved before a file is opened, and again afterward, because another process can change it in between.
 * A local process that can write below the root could still swap a directory for a link at the right moments. Only
 * opening each directory relative to its parent would prevent that.
 */
export class FileStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * Opens a store.
   *
   * @param root The directory. Its own path may contain symbolic links.
   * @throws {TypeError} If it is not a directory.
   */
  static async open(root: string): Promise<FileStore> {
    const real = await Deno.realPath(root);
    if (!(await Deno.stat(real)).isDirectory) {
      throw new TypeError(`Cannot serve files of ${root}: it is not a directory`);
    }
    return new FileStore(real === "/" ? "" : real);
  }

  /**
   * Iterates over a directory, sorted by name, without links and devices.
   *
   * @param working Called with the number of names read so far. An error that it throws ends the listing.
   * @returns The number of names that a request cannot express: not UTF-8, or with a control character or a backslash.
   */
  async *list(
    names: readonly string[],
    working: (read: number) => void,
  ): AsyncGenerator<NamedEntry, number, undefined> {
    const path = await this.directory(names);
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
      // In a name that is not UTF-8, the runtime replaces bytes with this character, so the file is not found. Any other
      // file that is not found was deleted after the directory was read.
      else if (name.includes("\ufffd")) omitted++;
    }
    return omitted;
  }

  /** Describes a file or directory. @throws {FileStoreError} If it does not exist. */
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
      // Another process can have put a link there since the path was resolved.
      if (!opened.isFile || !await isAt(path, file) || await this.resolve(names) !== path) {
        throw new FileStoreError("Path is not a regular file");
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

  /**
   * Returns the path at which an upload will be put.
   *
   * @throws {FileStoreError} If its directory does not exist, or the name is that of a directory.
   */
  async targetPath(names: readonly string[]): Promise<string> {
    const path = `${await this.directory(names.slice(0, -1))}/${names.at(-1)}`;
    const info = await lstat(path);
    if (info && !info.isFile) throw new FileStoreError("Path is not a file");
    return path;
  }

  /**
   * Returns the path of a directory on this system.
   *
   * @throws {FileStoreError} If it does not exist, is not a directory, or its path contains a symbolic link.
   */
  async directory(names: readonly string[]): Promise<string> {
    let entry: FileEntry | undefined;
    try {
      const path = await this.resolve(names);
      entry = await lookAt(path);
      if (entry?.type === "directory") return path;
    } catch (error) {
      if (!(error instanceof FileStoreError && error.cause instanceof Deno.errors.NotFound)) throw error;
    }
    throw new FileStoreError(entry === undefined ? "No such directory" : "Path is not a directory");
  }

  /**
   * Returns the path on this system.
   *
   * @throws {FileStoreError} If it does not exist, or contains a symbolic link.
   */
  async resolve(names: readonly string[]): Promise<string> {
    const path = [this.#root, ...names].join("/") || "/";
    const real = await translated(() => Deno.realPath(path));
    if (real !== path) throw new FileStoreError("Path contains a symbolic link");
    return path;
  }
}

/**
 * Describes the file or directory at a path of this system; undefined if it does not exist.
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

/** Returns an error for the client. The message of the OS would reveal where the root is. */
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
