/** Partial files of uploads: their place, their locks, and their expiry. @module */
import { type FileStore, FileStoreError, lookAt, type NamedEntry, publicError } from "./file_store.ts";
import { PARTIAL_PREFIX, PARTIALS } from "./path.ts";
import { isAt } from "./same_file.ts";

/** A partial file, locked against all other uploads. */
export interface LockedPartial {
  readonly file: Deno.FsFile;
  readonly path: string;
  /** Bytes that an earlier upload has left. */
  readonly size: number;
}

/** Attempts to create a folder that other uploads remove in between. */
const MAX_ATTEMPTS = 20;

/**
 * The partial files below a root. An upload of `DIRECTORY/NAME` is written to a file of the same name in a hidden folder
 * of that directory, so that a rename moves it to its place.
 *
 * An upload holds a file lock of the OS, because several processes can serve the same root, for example during a rolling
 * restart. The OS releases the lock when the process ends, so a crash leaves nothing locked.
 */
export class Partials {
  readonly #store: FileStore;

  constructor(store: FileStore) {
    this.#store = store;
  }

  /** Returns the size in bytes of a partial file; undefined if there is none. */
  async size(names: readonly string[]): Promise<number | undefined> {
    const folder = await this.#folder(names.slice(0, -1));
    return folder === undefined ? undefined : (await lookAt(`${folder}/${names.at(-1)}`))?.size;
  }

  /** Lists the partial files of a directory, sorted by name. */
  async list(directory: readonly string[]): Promise<NamedEntry[]> {
    const folder = await this.#folder(directory);
    if (folder === undefined) return [];
    const found: NamedEntry[] = [];
    for (const name of (await namesIn(folder)).sort()) {
      const entry = await lookAt(`${folder}/${name}`);
      if (entry) found.push({ ...entry, name, type: "partial" });
    }
    return found;
  }

  /**
   * Locks the partial file for an upload, and creates it if necessary.
   *
   * @throws {FileStoreError} If another upload has locked it, in this or another process.
   */
  async lock(names: readonly string[]): Promise<LockedPartial> {
    const directory = await this.#store.resolve(names.slice(0, -1));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await makeFolder(`${directory}/${PARTIALS}`);
      const folder = await this.#folder(names.slice(0, -1));
      const locked = folder && await this.#tryLock(`${folder}/${names.at(-1)}`, true);
      if (locked) return locked;
    }
    throw new FileStoreError("File is being written by too many clients");
  }

  /**
   * Deletes a partial file.
   *
   * @returns Whether there was one.
   * @throws {FileStoreError} If an upload has locked it.
   */
  async remove(names: readonly string[]): Promise<boolean> {
    const folder = await this.#folder(names.slice(0, -1));
    if (folder === undefined) return false;
    const partial = await this.#tryLock(`${folder}/${names.at(-1)}`, false);
    if (partial === undefined) return false;
    await this.discard(partial);
    return true;
  }

  /** Moves a partial file to its place. It stays locked. @throws {FileStoreError} If it was deleted or replaced. */
  async move(partial: LockedPartial, target: string): Promise<void> {
    // `ok` must stand for the bytes of this upload, whatever another program does in the folder.
    if (!await isAt(partial.path, partial.file)) {
      throw new FileStoreError("Upload was deleted by another program");
    }
    await Deno.rename(partial.path, target);
  }

  /** Deletes a partial file, and releases it. */
  async discard(partial: LockedPartial): Promise<void> {
    try {
      if (await isAt(partial.path, partial.file)) await Deno.remove(partial.path);
    } catch (error) {
      throw publicError(error);
    } finally {
      await this.release(partial);
    }
  }

  /** Releases the lock, and removes the folder if it is empty. */
  async release({ file, path }: LockedPartial): Promise<void> {
    file.close();
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!folder.endsWith(`/${PARTIALS}`)) return;
    try {
      await Deno.remove(folder);
    } catch {
      // The folder has files of other uploads, or another upload has removed it.
    }
  }

  /**
   * Deletes the partial files below the root that have not been written to for `ms`, and are not locked.
   *
   * @returns The number of deleted files.
   */
  async expire(ms: number, signal: AbortSignal): Promise<number> {
    return await this.#expireBelow(await this.#store.resolve([]), Date.now() - ms, signal);
  }

  async #expireBelow(directory: string, before: number, signal: AbortSignal): Promise<number> {
    let expired = 0;
    const directories: string[] = [];
    try {
      for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
        if (signal.aborted) return expired;
        const path = `${directory}/${name}`;
        if (isDirectory) directories.push(path);
        else if (isFile && isPartial(directory, name) && await this.#expireOne(path, before)) expired++;
      }
    } catch {
      // It was deleted or cannot be read, which a client that lists it learns. Go on with the other directories.
    }
    for (const each of directories) expired += await this.#expireBelow(each, before, signal);
    return expired;
  }

  async #expireOne(path: string, before: number): Promise<boolean> {
    try {
      const entry = await lookAt(path);
      if (entry === undefined || entry.modified.getTime() >= before) return false;
      const partial = await this.#tryLock(path, false);
      if (partial === undefined) return false;
      await this.discard(partial);
      return true;
    } catch (error) {
      // An upload has locked it, or the OS does not permit deleting it.
      if (error instanceof FileStoreError) return false;
      throw error;
    }
  }

  /** Returns the folder with the partial files of a directory; undefined if there is none, or it has just been removed. */
  async #folder(directory: readonly string[]): Promise<string | undefined> {
    const path = `${await this.#store.resolve(directory)}/${PARTIALS}`;
    if (await lookAt(path) === undefined) return undefined;
    try {
      return await this.#store.resolve([...directory, PARTIALS]);
    } catch (error) {
      if (error instanceof FileStoreError && error.cause instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Returns undefined if the file does not exist, or another upload has just renamed, deleted, or created it. */
  async #tryLock(path: string, create: boolean): Promise<LockedPartial | undefined> {
    const exists = await lookAt(path) !== undefined;
    if (!exists && !create) return undefined;
    let file: Deno.FsFile;
    try {
      // `createNew` does not follow links.
      file = await Deno.open(path, { read: true, write: true, createNew: !exists });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.AlreadyExists) {
        return undefined;
      }
      throw publicError(error);
    }
    try {
      if (!await file.tryLock(true)) throw new FileStoreError("File is being written by another client");
      if (await isAt(path, file)) return { file, path, size: (await file.stat()).size };
    } catch (error) {
      file.close();
      throw publicError(error);
    }
    file.close();
    return undefined;
  }
}

/** Whether a file is partial, or was left by the check at the start of a server that was killed. */
function isPartial(directory: string, name: string): boolean {
  return directory.endsWith(`/${PARTIALS}`) || name.startsWith(PARTIAL_PREFIX);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // The last upload has just finished.
    throw publicError(error);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw publicError(error);
  }
}
