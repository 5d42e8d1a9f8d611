/** Small pieces of bytes that are cut from one allocation. Pure. @module */

// A typed array of its own costs a short line four times what its encoding does. A peer that is slow to take what was
// cut from a slab keeps the whole slab, so it is small.
const SLAB = 16 * 1024;

/** The most bytes of a piece. */
export const LARGEST_PIECE: number = SLAB / 4;

let free = new Uint8Array(0);

/** Returns memory for at least `most` bytes, up to {@linkcode LARGEST_PIECE}, of which {@linkcode cutPiece} takes the start. */
export function roomForPiece(most: number): Uint8Array<ArrayBuffer> {
  if (most > free.length) free = new Uint8Array(SLAB);
  return free;
}

/** Takes the first bytes of {@linkcode roomForPiece}, which nothing else will touch. */
export function cutPiece(length: number): Uint8Array<ArrayBuffer> {
  const piece = free.subarray(0, length);
  free = free.subarray(length);
  return piece;
}
