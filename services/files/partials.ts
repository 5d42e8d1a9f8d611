/** Uploads that have not finished: where they are kept, who may write them, and how long they stay. @module */
import { type FileStore, FileStoreError, lookAt, type NamedEntry, publicError } from "./file_store.ts";
import { PARTIAL_PREFIX, PARTIALS } from "./path.ts";
import { isAt } from "./same_file.ts";

/** A partial file that nobody else can write: it is locked, and it is what its path names. */
export interface LockedPartial {
  readonly file: Deno.FsFile;
  readonly path: string;
  /** Bytes that an earlier upload has left. */
  readonly size: number;
}

/** How often a folder is made again that other uploads remove in between. */
const MAX_ATTEMPTS = 20;

/**
 * The unfinished uploads below a root. The upload of `DIRECTORY/NAME` is collected in a file of the same name in a
 * hidden folder of that directory, so that a rename moves it to its place.
 *
 * Whoever writes one holds a lock of the operating system on it, because other processes may serve the same root, for
 * example during a rolling restart. The lock ends with the process, so a crash leaves nothing locked.
 */
export class Partials {
  readonly #store: FileStore;

  constructor(store: FileStore) {
    this.#store = store;
  }

  /** Returns the bytes that an unfinished upload has left, or undefined without one. */
  async size(names: readonly string[]): Promise<number | undefined> {
    const folder = await this.#folder(names.slice(0, -1));
    return folder === undefined ? undefined : (await lookAt(`${folder}/${names.at(-1)}`))?.size;
  }

  /** Lists the unfinished uploads of a directory. */
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
   * Opens the partial file for an upload, and creates it if there is none.
   *
   * @throws {FileStoreError} If another client writes it, at this or another process.
   */
  async lock(names: readonly string[]): Promise<LockedPartial> {
    const directory = await this.#store.resolve(names.slice(0, -1));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await makeFolder(`${directory}/${PARTIALS}`);
      const folder = await this.#folder(names.slice(0, -1));
      const locked = folder && await this.#tryLock(`${folder}/${names.at(-1)}`, true);
      if (locked) return locked;
    }
    throw new FileStoreError("File is being written by others all the time");
  }

  /**
   * Deletes what an unfinished upload has left.
   *
   * @returns Whether there was anything.
   * @throws {FileStoreError} If a client is writing it.
   */
  async remove(names: readonly string[]): Promise<boolean> {
    const folder = await this.#folder(names.slice(0, -1));
    if (folder === undefined) return false;
    const partial = await this.#tryLock(`${folder}/${names.at(-1)}`, false);
    if (partial === undefined) return false;
    await this.discard(partial);
    return true;
  }

  /** Moves a partial file to its place. It stays locked. */
  async move(partial: LockedPartial, target: string): Promise<void> {
    // Only this very file may take the place that the client is told of.
    if (!await isAt(partial.path, partial.file)) {
      throw new FileStoreError("Upload was deleted by somebody else");
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

  /** Lets others write a partial file, or another of its name, and removes the folder after the last one. */
  async release({ file, path }: LockedPartial): Promise<void> {
    file.close();
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!folder.endsWith(`/${PARTIALS}`)) return;
    try {
      await Deno.remove(folder);
    } catch {
      // Other uploads are in it, or have removed it: both are as they should be, and the next one tries again.
    }
  }

  /**
   * Deletes the partial files below the root to which nobody has written for some time.
   *
   * @param ms The time in ms.
   * @returns How many it deleted.
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
      // It is gone, or cannot be read, as a client that lists it is told. The other directories matter all the same.
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
      // Somebody is writing it, or it is not ours to delete.
      if (error instanceof FileStoreError) return false;
      throw error;
    }
  }

  /** The folder with the partial files of a directory; undefined if there is none, or it was removed in between. */
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

  /** Undefined if there is no such file, or another upload renamed, deleted, or created it in between. */
  async #tryLock(path: string, create: boolean): Promise<LockedPartial | undefined> {
    const exists = await lookAt(path) !== undefined;
    if (!exists && !create) return undefined;
    let file: Deno.FsFile;
    try {
      // `createNew` follows no link.
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

/** Files of this prefix outside of such a folder are what a server that was killed left of its check at the start. */
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
