/** Files of this machine to and from a files service: resumed where they can be, and checked. @module */
import type { Hash } from "node:crypto";
import { type FilesClient, FilesError } from "./client.ts";
import { hashStart, readPieces } from "./hash.ts";

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
 * Downloads a file. It is gathered beside its destination, in `DESTINATION.part`, and takes its name when it is whole
 * and its checksum is right. What an earlier try has left there is continued; where that is not the start of the
 * file, it begins again.
 *
 * @throws {FilesError} If the server refuses, or the checksum differs: then nothing is left.
 * @throws What the system says of the destination.
 */
export async function downloadFile(
  client: FilesClient,
  files: { readonly path: string; readonly destination: string },
  options: TransferOptions = {},
): Promise<Transferred> {
  const part = `${files.destination}.part`;
  // Or it would be found out by the last step, when all has come.
  if ((await statOf(files.destination))?.isDirectory) {
    throw new Deno.errors.IsADirectory(`Cannot download to ${files.destination}: it is a directory`);
  }
  const there = (await statOf(part))?.size ?? 0;
  let done = there > 0 && await isWithin(client, files.path, there)
    ? await fetchFrom(client, { path: files.path, part, offset: there }, options)
    : undefined;
  done ??= await fetchFrom(client, { path: files.path, part, offset: 0 }, options);
  if (done === undefined) {
    await Deno.remove(part);
    throw new FilesError("checksum", "Checksum differs: what came is deleted");
  }
  await Deno.rename(part, files.destination);
  return done;
}

/** `undefined` if the checksum differs. */
async function fetchFrom(
  client: FilesClient,
  { path, part, offset }: { readonly path: string; readonly part: string; readonly offset: number },
  options: TransferOptions,
): Promise<Transferred | undefined> {
  // First of all, so that a refusal leaves nothing behind.
  const download = await client.download(path, offset);
  const size = offset + download.length;
  using file = await Deno.open(part, { read: true, write: true, create: true });
  const hash = await hashStart(file, offset);
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
  if (checksum !== await download.checksum()) return undefined;
  // On disk before it takes its name.
  await file.sync();
  return { size, resumedAt: offset, checksum };
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
  const hash = await hashStart(file, offset);
  let checksum = "";
  options.onProgress?.(offset, size);
  await client.upload(path, {
    size,
    offset,
    body: hashed(readPieces(file, size - offset), hash, (sent) => options.onProgress?.(offset + sent, size)),
    checksum: () => checksum = hash.digest("hex"),
  });
  return { size, resumedAt: offset, checksum };
}

async function* hashed(
  pieces: AsyncIterable<Uint8Array>,
  hash: Hash,
  sent: (bytes: number) => void,
): AsyncIterableIterator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
    bytes += piece.length;
    sent(bytes);
  }
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
