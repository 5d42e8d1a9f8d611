/** An upload: written to a partial file, and renamed when it is complete. @module */
import type { Hash } from "node:crypto";
import { plural } from "../../internal/plural.ts";
import { type FileStore, FileStoreError, publicError } from "./file_store.ts";
import { hashStart } from "./hash.ts";
import type { LockedPartial, Partials } from "./partials.ts";
import { ClientGoneError } from "./work_report.ts";

/** Size and start of an upload. */
export interface UploadExtent {
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** Bytes of an earlier upload to keep. */
  readonly offset: number;
}

/** The stores of an upload. */
export interface UploadPlace {
  readonly store: FileStore;
  readonly partials: Partials;
}

/** A file that is being written. One of `finish`, `discard`, and `suspend` ends it. */
export class Upload {
  readonly #place: UploadPlace;
  readonly #names: readonly string[];
  readonly #partial: LockedPartial;
  readonly #hash: Hash;
  readonly #size: number;
  #written: number;

  private constructor(
    place: UploadPlace,
    names: readonly string[],
    parts: { partial: LockedPartial; hash: Hash; extent: UploadExtent },
  ) {
    this.#place = place;
    this.#names = names;
    this.#partial = parts.partial;
    this.#hash = parts.hash;
    this.#size = parts.extent.size;
    this.#written = parts.extent.offset;
  }

  /**
   * Starts an upload, or resumes an earlier one.
   *
   * @param working Called with the number of bytes of the earlier upload that are read so far. An error that it throws ends
   * the upload.
   * @throws {FileStoreError} If the file cannot be written, or the earlier upload has left less than the offset.
   */
  static async begin(
    place: UploadPlace,
    names: readonly string[],
    extent: UploadExtent,
    working: (done: number) => void,
  ): Promise<Upload> {
    const { offset } = extent;
    await place.store.targetPath(names);
    // Checked before locking, which creates a file.
    if (offset > 0) requireStart(offset, await place.partials.size(names));
    const partial = await place.partials.lock(names);
    try {
      requireStart(offset, partial.size);
      const hash = await hashStart(partial.file, offset, working);
      await partial.file.truncate(offset);
      return new Upload(place, names, { partial, hash, extent });
    } catch (error) {
      partial.file.close();
      throw error instanceof ClientGoneError ? error : publicError(error);
    }
  }

  /** Size of the whole file in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Bytes in the partial file. */
  get written(): number {
    return this.#written;
  }

  /** Appends bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    try {
      for (let at = 0; at < bytes.length;) at += await this.#partial.file.write(bytes.subarray(at));
    } catch (error) {
      throw publicError(error);
    }
    this.#written += bytes.length;
  }

  /**
   * Puts the file in place. If the checksum differs, or the file cannot be moved, it is deleted.
   *
   * @param checksum SHA-256 of the whole file, in hexadecimal.
   * @throws {FileStoreError} If the checksum differs, or the file cannot be moved.
   */
  async finish(checksum: string): Promise<void> {
    try {
      const actual = this.#hash.digest("hex");
      if (actual !== checksum) throw new FileStoreError(`Checksum differs: received ${actual}`);
      // A crash must not leave the name without the bytes.
      await this.#partial.file.sync();
      await this.#place.partials.move(this.#partial, await this.#place.store.targetPath(this.#names));
    } catch (error) {
      await this.discard();
      throw publicError(error);
    }
    await this.#place.partials.release(this.#partial);
  }

  /** Ends the upload, and deletes the partial file. */
  async discard(): Promise<void> {
    await this.#place.partials.discard(this.#partial);
  }

  /** Ends the upload, and keeps the partial file for another attempt. */
  async suspend(): Promise<void> {
    if (this.#written === 0) await this.discard();
    else this.#partial.file.close();
  }
}

function requireStart(offset: number, left: number | undefined = 0): void {
  if (left >= offset) return;
  throw new FileStoreError(`Offset is ${offset}, but an earlier upload has left ${plural(left, "byte")}`);
}
