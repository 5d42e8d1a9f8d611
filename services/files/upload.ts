/** One upload: gathered beside its target, renamed when whole. @module */
import { createHash, type Hash } from "node:crypto";
import { plural } from "../../internal/plural.ts";
import { type FileStore, FileStoreError, publicError } from "./file_store.ts";
import { hashStart } from "./hash.ts";

/** What is uploaded, and from where on. */
export interface UploadExtent {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes that an earlier attempt has left and that count. */
  readonly offset: number;
}

/** A file that is being written. One of `finish`, `discard` and `suspend` ends it. */
export class Upload {
  readonly #store: FileStore;
  readonly #names: readonly string[];
  readonly #claim: Disposable;
  readonly #file: Deno.FsFile;
  readonly #hash: Hash;
  readonly #size: number;
  #written: number;

  private constructor(
    store: FileStore,
    names: readonly string[],
    parts: { claim: Disposable; file: Deno.FsFile; hash: Hash; extent: UploadExtent },
  ) {
    this.#store = store;
    this.#names = names;
    this.#claim = parts.claim;
    this.#file = parts.file;
    this.#hash = parts.hash;
    this.#size = parts.extent.size;
    this.#written = parts.extent.offset;
  }

  /**
   * Starts an upload, or goes on with one that was suspended.
   *
   * @throws {FileStoreError} If the file cannot be written, or the earlier attempt has left less than the offset.
   */
  static async begin(store: FileStore, names: readonly string[], extent: UploadExtent): Promise<Upload> {
    const claim = store.claim(names);
    try {
      await store.targetPath(names);
      const { file, hash } = extent.offset === 0
        ? await createPartial(store, names)
        : await continuePartial(store, names, extent.offset);
      return new Upload(store, names, { claim, file, hash, extent });
    } catch (error) {
      claim[Symbol.dispose]();
      throw publicError(error);
    }
  }

  /** Bytes that have still to come. */
  get left(): number {
    return this.#size - this.#written;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    try {
      for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    } catch (error) {
      throw publicError(error);
    }
    this.#written += bytes.length;
  }

  /**
   * Puts the file in its place, if it is what was meant; else it is discarded.
   *
   * @param checksum SHA-256 of the whole file, in hexadecimal.
   * @throws {FileStoreError} If the checksum differs.
   */
  async finish(checksum: string): Promise<void> {
    const actual = this.#hash.digest("hex");
    if (actual !== checksum) {
      await this.discard();
      throw new FileStoreError(`Checksum differs: what came has ${actual}`);
    }
    try {
      try {
        // On disk before it takes its name: a crash must not leave a name with nothing behind it.
        await this.#file.sync();
      } finally {
        this.#file.close();
      }
      await Deno.rename(
        await this.#store.partialPath(this.#names),
        await this.#store.targetPath(this.#names),
      );
    } catch (error) {
      throw publicError(error);
    } finally {
      this.#claim[Symbol.dispose]();
    }
  }

  /** Gives up, and leaves nothing. */
  async discard(): Promise<void> {
    this.suspend();
    try {
      await Deno.remove(await this.#store.partialPath(this.#names));
    } catch (error) {
      throw publicError(error);
    }
  }

  /** Gives up for now: what has come stays, and counts when the client comes back. */
  suspend(): void {
    this.#file.close();
    this.#claim[Symbol.dispose]();
  }
}

type Partial = { readonly file: Deno.FsFile; readonly hash: Hash };

async function createPartial(store: FileStore, names: readonly string[]): Promise<Partial> {
  const path = await store.partialPath(names);
  if (await store.partialSize(names) !== undefined) await Deno.remove(path);
  // `createNew` follows no link at the name itself.
  const { file } = await store.openVerified(path, { write: true, createNew: true });
  return { file, hash: createHash("sha256") };
}

async function continuePartial(store: FileStore, names: readonly string[], offset: number): Promise<Partial> {
  const there = await store.partialSize(names);
  if (there === undefined || there < offset) {
    throw new FileStoreError(
      `Offset is ${offset}, but an earlier upload has left ${plural(there ?? 0, "byte")}`,
    );
  }
  const { file } = await store.openVerified(await store.partialPath(names), { read: true, write: true });
  try {
    const hash = await hashStart(file, offset);
    await file.truncate(offset);
    return { file, hash };
  } catch (error) {
    file.close();
    throw error;
  }
}
