/** Text to bytes, many small pieces from one allocation. Pure. @module */
import { Buffer } from "node:buffer";

const encoder = new TextEncoder();

// A typed array of its own costs a short line four times what its encoding does. A peer that is slow to take what was
// cut from a slab keeps the whole slab, so it is small.
const SLAB = 16 * 1024;
const LARGEST_PIECE = SLAB / 4;
const BYTES_A_UNIT = 3; // at most, in UTF-8, for each unit of UTF-16

let free = new Uint8Array(0);

/** The text in UTF-8, as bytes that nothing else will touch. */
export function encodeUtf8(text: string): Uint8Array {
  const most = text.length * BYTES_A_UNIT;
  if (most > LARGEST_PIECE) {
    // To count first costs little, and an array of the right size a third of what the encoder's own does.
    const bytes = new Uint8Array(Buffer.byteLength(text));
    encoder.encodeInto(text, bytes);
    return bytes;
  }
  if (most > free.length) free = new Uint8Array(SLAB);
  const { written } = encoder.encodeInto(text, free);
  const bytes = free.subarray(0, written);
  free = free.subarray(written);
  return bytes;
}

/** Writes the text in UTF-8 to the start of a buffer. Returns the number of bytes, or `undefined` if it might not fit. */
export function encodeUtf8Into(text: string, buffer: Uint8Array): number | undefined {
  if (text.length * BYTES_A_UNIT > buffer.length) return undefined;
  return encoder.encodeInto(text, buffer).written;
}
