/** Files below one directory, and nothing else. @module */
import { isServedName, PARTIAL_PREFIX } from "./path.ts";

/** What the client may be told when a file cannot be served; it names no path of the server. */
export class FileStoreError extends Error {
  override readonly name = "FileStoreError";
}

/** One file or directory. */
export interface FileEntry {
  readonly type: "file" | "directory";
  /** Bytes; 0 for a directory. */
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
  readonly #busy = new Set<string>();

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

  /** Entries of a directory by name; links, devices and uploads under way are not shown. */
  async *list(names: readonly string[]): AsyncIterableIterator<NamedEntry> {
    const path = await this.#resolve(names);
    const found: string[] = [];
    await translated(async () => {
      for await (const { name, isFile, isDirectory } of Deno.readDir(path)) {
        if ((isFile || isDirectory) && isServedName(name)) found.push(name);
      }
    });
    for (const name of found.sort()) {
      const entry = await this.#look(`${path}/${name}`);
      // Deleted since the directory was read.
      if (entry) yield { name, ...entry };
    }
  }

  /** @throws {FileStoreError} If there is no such file or directory. */
  async stat(names: readonly string[]): Promise<FileEntry> {
    const entry = await this.#look(await this.#resolve(names));
    if (!entry) throw new FileStoreError("No such file");
    return entry;
  }

  /** Opens a regular file. The caller closes it. */
  async read(names: readonly string[]): Promise<{ readonly file: Deno.FsFile; readonly size: number }> {
    const path = await this.#resolve(names);
    const entry = await this.#look(path);
    if (entry?.type === "directory") throw new FileStoreError("Path is a directory");
    const { file, size } = await this.openVerified(path, { read: true });
    return { file, size };
  }

  /** Deletes a regular file, and what an unfinished upload of it has left. */
  async delete(names: readonly string[]): Promise<void> {
    const path = await this.#resolve(names);
    const entry = await this.#look(path);
    if (entry?.type === "directory") throw new FileStoreError("Path is a directory");
    using _ = this.claim(names);
    await translated(() => Deno.remove(path));
    const partial = await this.partialPath(names);
    if (await this.#look(partial)) await translated(() => Deno.remove(partial));
  }

  /** Bytes that an unfinished upload has left; undefined if there was none. */
  async partialSize(names: readonly string[]): Promise<number | undefined> {
    return (await this.#look(await this.partialPath(names)))?.size;
  }

  /** Keeps others from writing the same file until disposed of. @throws {FileStoreError} If somebody does. */
  claim(names: readonly string[]): Disposable {
    const path = names.join("/");
    if (this.#busy.has(path)) throw new FileStoreError("File is being written by another client");
    this.#busy.add(path);
    return { [Symbol.dispose]: () => void this.#busy.delete(path) };
  }

  /** Where an upload is to end up: in a directory that is there, at a name that is free or a file's. */
  async targetPath(names: readonly string[]): Promise<string> {
    const path = `${await this.#resolve(names.slice(0, -1))}/${names.at(-1)}`;
    const info = await lstat(path);
    if (info && !info.isFile) throw new FileStoreError("Path is no file");
    return path;
  }

  /** Where an upload is gathered: beside its target, so that a rename suffices. */
  async partialPath(names: readonly string[]): Promise<string> {
    const directory = await this.#resolve(names.slice(0, -1));
    const name = new TextEncoder().encode(names.at(-1));
    // Hashed, since the name may already be as long as names can be.
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", name)).toHex();
    return `${directory}/${PARTIAL_PREFIX}${hash.slice(0, 32)}`;
  }

  /** Opens a file, and makes sure that it is what the path names now, with no link on the way. */
  async openVerified(
    path: string,
    options: Deno.OpenOptions,
  ): Promise<{ readonly file: Deno.FsFile; readonly size: number }> {
    const file = await translated(() => Deno.open(path, options));
    try {
      const opened = await file.stat();
      const named = await lstat(path);
      if (
        !opened.isFile || named?.isFile !== true || opened.ino !== named.ino || opened.dev !== named.dev ||
        await translated(() => Deno.realPath(path)) !== path
      ) throw new FileStoreError("Path is no regular file");
      return { file, size: opened.size };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The path on this system; refused if a link is on the way. */
  async #resolve(names: readonly string[]): Promise<string> {
    const path = [this.#root, ...names].join("/") || "/";
    const real = await translated(() => Deno.realPath(path));
    if (real !== path) throw new FileStoreError("Path has a symbolic link in it");
    return path;
  }

  async #look(path: string): Promise<FileEntry | undefined> {
    const info = await lstat(path);
    if (!info) return undefined;
    if (!info.isFile && !info.isDirectory) throw new FileStoreError("Path is neither a file nor a directory");
    const type = info.isFile ? "file" : "directory";
    return { type, size: info.isFile ? info.size : 0, modified: info.mtime ?? new Date(0) };
  }
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
