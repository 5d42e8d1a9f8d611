/** Text to bytes, many small pieces from one allocation, and bytes to text. Pure. @module */
import { Buffer } from "node:buffer";
import { cutPiece, LARGEST_PIECE, roomForPiece } from "./slab.ts";

const encoder = new TextEncoder();

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
// A TextDecoder call costs more than a Buffer call, but a tenth per byte. At this length they cost the same.
const SHORT = 256;
const BYTES_A_UNIT = 3; // at most, in UTF-8, for each unit of UTF-16

/** The text in UTF-8, as bytes that nothing else will touch. */
export function encodeUtf8(text: string): Uint8Array {
  const most = text.length * BYTES_A_UNIT;
  if (most > LARGEST_PIECE) {
    // To count first costs little, and an array of the right size a third of what the encoder's own does.
    const bytes = new Uint8Array(Buffer.byteLength(text));
    encoder.encodeInto(text, bytes);
    return bytes;
  }
  return cutPiece(encoder.encodeInto(text, roomForPiece(most)).written);
}

/** Writes the text in UTF-8 to the start of a buffer. Returns the number of bytes, or `undefined` if it might not fit. */
export function encodeUtf8Into(text: string, buffer: Uint8Array): number | undefined {
  if (text.length * BYTES_A_UNIT > buffer.length) return undefined;
  return encoder.encodeInto(text, buffer).written;
}

/** Decodes the UTF-8 from `start` to `end`, with U+FFFD for invalid bytes. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return lenient.decode(bytes.subarray(start, end));
  return Buffer.prototype.toString.call(bytes, "utf8", start, end);
}
