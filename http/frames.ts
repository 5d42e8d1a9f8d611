/** Bytes in frames of limited size, so that a sender never has a whole body in memory. Pure. @module */
import { ByteQueue } from "../internal/byte_queue.ts";

const FRAME_SIZE = 64 * 1024;

/** Joins small pieces and cuts large ones. Every frame has 64 KiB, except the last. No frame is empty. */
export function* framesOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  const queue = new ByteQueue();
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + FRAME_SIZE - queue.size);
      queue.push(part);
      at += part.length;
      if (queue.size === FRAME_SIZE) yield queue.take();
    }
  }
  if (queue.size > 0) yield queue.take();
}

/** Joins pieces that are known to be small. */
export function concat(pieces: Iterable<Uint8Array>): Uint8Array {
  const queue = new ByteQueue();
  for (const piece of pieces) queue.push(piece);
  return queue.take();
}
