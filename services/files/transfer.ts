/** Resumable, verified transfers between local files and a files service. @module */
import type { Hash } from "node:crypto";
import { type Download, type FilesClient, FilesError } from "./client.ts";
import { hashStart, readPieces } from "./hash.ts";
import { isAt } from "./same_file.ts";

/** Options for {@linkcode downloadFile} and {@linkcode uploadFile}. */
export interface TransferOptions {
  /** Called with the number of bytes transferred, including those of earlier attempts, and the size of the file. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The result of a transfer. */
export interface Transferred {
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** Bytes that earlier attempts had transferred. */
  readonly resumedAt: number;
  /** SHA-256 of the whole file, in hexadecimal, which both sides have computed. */
  readonly checksum: string;
}

/**
 * Downloads a file. The bytes go to `DESTINATION.part`, which is renamed when it is complete and its checksum is right. If
 * an earlier attempt has left such a file, the download resumes, or begins again if that is not the start of the file.
 *
 * @throws {FilesError} If the server refuses, or the checksum differs. In that case, nothing is left.
 * @throws {Deno.errors.Busy} If another download writes `DESTINATION.part`, in this or another process.
 * @throws Errors of the OS about the destination.
 */
export async function downloadFile(
  client: FilesClient,
  files: { readonly path: string; readonly destination: string },
  options: TransferOptions = {},
): Promise<Transferred> {
  const { path, destination } = files;
  const part = `${destination}.part`;
  // Checked first, because otherwise only the last step would fail, after the whole transfer.
  if ((await statOf(destination))?.isDirectory) {
    throw new Deno.errors.IsADirectory(`Cannot download to ${destination}: it is a directory`);
  }
  const there = (await statOf(part))?.size ?? 0;
  const resumed = there > 0 && await isWithin(client, path, there)
    ? await fetchFrom(client, { path, part, destination, offset: there }, options)
    : undefined;
  const done = resumed ?? await fetchFrom(client, { path, part, destination, offset: 0 }, options);
  if (done === undefined) throw new FilesError("checksum", "Checksum differs, so the download was deleted");
  return done;
}

/** The source and the destination of a download. */
interface Fetch {
  readonly path: string;
  readonly part: string;
  readonly destination: string;
  readonly offset: number;
}

/** Returns undefined if the checksum differs. Then the partial file stays only if it was resumed, for another attempt. */
async function fetchFrom(
  client: FilesClient,
  { path, part, destination, offset }: Fetch,
  options: TransferOptions,
): Promise<Transferred | undefined> {
  const refused = new AbortController();
  // Both sides read the bytes of earlier attempts in parallel, because there can be many.
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
  // A new file is created only now, so that a refusal leaves nothing.
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
    // A crash must not leave the name without the bytes.
    await file.sync();
    if (!await isAt(part, file)) {
      throw new Deno.errors.NotFound(`${part} was deleted or replaced by another program`);
    }
    await Deno.rename(part, destination);
    return { size, resumedAt: offset, checksum };
  } finally {
    file.close();
  }
}

/** Opens and locks the partial file of a download, and reads its first bytes. */
async function openPart(
  part: string,
  length: number,
  signal: AbortSignal,
): Promise<{ readonly file: Deno.FsFile; readonly hash: Hash }> {
  const file = await Deno.open(part, { read: true, write: true, create: true });
  try {
    // Two writers would mix their bytes, and each would find its own checksum right.
    if (!await file.tryLock(true)) throw new Deno.errors.Busy(`Another download is writing ${part}`);
    return { file, hash: await hashStart(file, length, () => signal.throwIfAborted()) };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether a file of the server has at least `offset` bytes. */
async function isWithin(client: FilesClient, path: string, offset: number): Promise<boolean> {
  const { entry } = await client.stat(path);
  return entry !== undefined && offset <= entry.size;
}

/** Returns information about a path; `undefined` if it does not exist. */
async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Uploads a file. If an earlier attempt has left a partial file at the server, the upload resumes, or begins again if that
 * is not the start of this file.
 *
 * @throws {FilesError} If the server refuses.
 * @throws Errors of the OS about the source.
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
    // The partial file was the start of another file. The server has deleted it.
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
  // Both sides read the bytes of earlier attempts in parallel, because there can be many.
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

/** Returns the size of the partial file at the server; 0 if the path does not exist. */
async function partialSize(client: FilesClient, path: string): Promise<number> {
  try {
    return (await client.stat(path)).partial;
  } catch (error) {
    if (error instanceof FilesError) return 0;
    throw error;
  }
}
