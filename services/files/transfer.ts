/** Files of this machine to and from a files service: resumed where they can be, and checked. @module */
import type { Hash } from "node:crypto";
import { type Download, type FilesClient, FilesError } from "./client.ts";
import { hashStart, readPieces } from "./hash.ts";
import { isAt } from "./same_file.ts";

/** What a transfer may be told. */
export interface TransferOptions {
  /** Called when more is done: bytes so far, those of an earlier try included, and bytes in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a transfer came to. */
export interface Transferred {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes that an earlier try had brought already. */
  readonly resumedAt: number;
  /** SHA-256 of the whole file, in hexadecimal; both sides have computed it. */
  readonly checksum: string;
}

/**
 * Downloads a file. It is collected beside its destination, in `DESTINATION.part`, and takes its name when it is complete
 * and its checksum is right. What an earlier try has left there is resumed; if that is not the start of the file, the
 * download begins again.
 *
 * @throws {FilesError} If the server refuses, or the checksum differs: then nothing is left.
 * @throws {Deno.errors.Busy} If another download writes `DESTINATION.part`, in this or another process.
 * @throws What the system says of the destination.
 */
export async function downloadFile(
  client: FilesClient,
  files: { readonly path: string; readonly destination: string },
  options: TransferOptions = {},
): Promise<Transferred> {
  const { path, destination } = files;
  const part = `${destination}.part`;
  // Or it would be found out by the last step, when all has come.
  if ((await statOf(destination))?.isDirectory) {
    throw new Deno.errors.IsADirectory(`Cannot download to ${destination}: it is a directory`);
  }
  const there = (await statOf(part))?.size ?? 0;
  const resumed = there > 0 && await isWithin(client, path, there)
    ? await fetchFrom(client, { path, part, destination, offset: there }, options)
    : undefined;
  const done = resumed ?? await fetchFrom(client, { path, part, destination, offset: 0 }, options);
  if (done === undefined) throw new FilesError("checksum", "Checksum differs: what came is deleted");
  return done;
}

/** Where a download comes from and goes to. */
interface Fetch {
  readonly path: string;
  readonly part: string;
  readonly destination: string;
  readonly offset: number;
}

/** `undefined` if the checksum differs; what came stays only if it was resumed, to begin again in its place. */
async function fetchFrom(
  client: FilesClient,
  { path, part, destination, offset }: Fetch,
  options: TransferOptions,
): Promise<Transferred | undefined> {
  const refused = new AbortController();
  // Both sides read what an earlier try has brought, at the same time: it may be much.
  const start = offset > 0 ? openPart(part, offset, refused.signal) : undefined;
  start?.catch(() => {}); // Thrown below.
  let download: Download;
  try {
    download = await client.download(path, offset);
  } catch (error) {
    refused.abort();
    (await start?.catch(() => undefined))?.file.close();
    throw error;
  }
  // A new one is opened only now, so that a refusal leaves nothing behind.
  const { file, hash } = await (start ?? openPart(part, 0, refused.signal));
  try {
    const size = offset + download.length;
    await file.truncate(offset);
    let done = offset;
    options.onProgress?.(done, size);
    for await (const bytes of download.body) {
      hash.update(bytes);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      done += bytes.length;
      options.onProgress?.(done, size);
    }
    const checksum = hash.digest("hex");
    if (checksum !== await download.checksum()) {
      if (offset === 0) await Deno.remove(part);
      return undefined;
    }
    // On disk before it takes its name.
    await file.sync();
    if (!await isAt(part, file)) {
      throw new Deno.errors.NotFound(`${part} was deleted or replaced by somebody else`);
    }
    await Deno.rename(part, destination);
    return { size, resumedAt: offset, checksum };
  } finally {
    file.close();
  }
}

/** Opens the file in which a download is collected, for this download alone, and reads its first bytes. */
async function openPart(
  part: string,
  length: number,
  signal: AbortSignal,
): Promise<{ readonly file: Deno.FsFile; readonly hash: Hash }> {
  const file = await Deno.open(part, { read: true, write: true, create: true });
  try {
    // Two writers would leave a mixture, and each would find its own checksum right.
    if (!await file.tryLock(true)) throw new Deno.errors.Busy(`Another download is writing ${part}`);
    return { file, hash: await hashStart(file, length, () => signal.throwIfAborted()) };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether a file of the server is at least so long. */
async function isWithin(client: FilesClient, path: string, offset: number): Promise<boolean> {
  const { entry } = await client.stat(path);
  return entry !== undefined && offset <= entry.size;
}

/** What is at a path; `undefined` if nothing is. */
async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Uploads a file. What an earlier try has left at the server is continued; where that is not the start of this file,
 * it begins again.
 *
 * @throws {FilesError} If the server refuses.
 * @throws What the system says of the source.
 */
export async function uploadFile(
  client: FilesClient,
  files: { readonly source: string; readonly path: string },
  options: TransferOptions = {},
): Promise<Transferred> {
  using file = await Deno.open(files.source, { read: true });
  const { size } = await file.stat();
  const partial = await partialSize(client, files.path);
  const offset = partial <= size ? partial : 0;
  try {
    return await sendFrom(client, { path: files.path, file, offset }, options);
  } catch (error) {
    // The server had the start of another file there; it has deleted that.
    if (!(error instanceof FilesError && error.code === "checksum") || offset === 0) throw error;
    return await sendFrom(client, { path: files.path, file, offset: 0 }, options);
  }
}

async function sendFrom(
  client: FilesClient,
  { path, file, offset }: { readonly path: string; readonly file: Deno.FsFile; readonly offset: number },
  options: TransferOptions,
): Promise<Transferred> {
  const { size } = await file.stat();
  await file.seek(0, Deno.SeekMode.Start);
  // Read while the server reads what it has of the file.
  const start = hashStart(file, offset, () => {});
  start.catch(() => {}); // Thrown below.
  let checksum = "";
  const sendRest = async function* (): AsyncIterableIterator<Uint8Array> {
    const hash = await start;
    let done = offset;
    for await (const piece of readPieces(file, size - offset)) {
      hash.update(piece);
      yield piece;
      options.onProgress?.(done += piece.length, size);
    }
    checksum = hash.digest("hex");
  };
  options.onProgress?.(offset, size);
  await client.upload(path, {
    size,
    offset,
    body: sendRest(),
    checksum: () => checksum,
  });
  return { size, resumedAt: offset, checksum };
}

/** Bytes that an earlier upload has left; a path of which the server knows nothing has none. */
async function partialSize(client: FilesClient, path: string): Promise<number> {
  try {
    return (await client.stat(path)).partial;
  } catch (error) {
    if (error instanceof FilesError) return 0;
    throw error;
  }
}
