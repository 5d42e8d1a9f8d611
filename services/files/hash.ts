/** Checksums of files. @module */
import { createHash, type Hash } from "node:crypto";
import { plural } from "../../internal/plural.ts";

/** Maximum size in bytes of one read. */
export const READ_SIZE = 64 * 1024;

/**
 * Reads the first bytes of a file into a SHA-256, and leaves the file positioned after them.
 *
 * @param working Called with the number of bytes read so far. An error that it throws ends the reading.
 * @throws {Deno.errors.UnexpectedEof} If the file is shorter.
 */
export async function hashStart(
  file: Deno.FsFile,
  length: number,
  working: (done: number) => void,
): Promise<Hash> {
  const hash = createHash("sha256");
  let done = 0;
  for await (const bytes of readPieces(file, length)) {
    hash.update(bytes);
    working(done += bytes.length);
  }
  return hash;
}

/**
 * Iterates over the next bytes of a file. Each piece is valid until the next one is requested.
 *
 * @throws {Deno.errors.UnexpectedEof} If the file has fewer.
 */
export async function* readPieces(file: Deno.FsFile, length: number): AsyncIterableIterator<Uint8Array> {
  const buffer = new Uint8Array(READ_SIZE);
  for (let left = length; left > 0;) {
    const count = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) throw new Deno.errors.UnexpectedEof(`File ended ${plural(left, "byte")} early`);
    left -= count;
    yield buffer.subarray(0, count);
  }
}
