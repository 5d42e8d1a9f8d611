/** Bytes that are passed on. Pure. @module */
import type { Codec, Decoded, Decoder, Encoder } from "./codec.ts";
import type { FramingError } from "../errors.ts";

/**
 * Bytes from one socket to another without a copy on the way: a frame is the read buffer itself, good until the next
 * is asked for or the connection is ended, and what is sent must be left alone until it is flushed. Memory that stays
 * the same stays in the processor's cache, which is worth more than reading ahead.
 */
export const rawCodec: Codec<Uint8Array> = {
  decoder: () => DECODER,
  encoder: () => new PieceQueue(),
};

/** It keeps nothing, so all connections share it. */
const DECODER: Decoder<Uint8Array> = { push: lent, end: finished };
function lent(bytes: Uint8Array): Decoded<Uint8Array> {
  return { frames: [bytes] };
}

/** Any byte may be the last. */
function finished(): FramingError | undefined {
  return undefined;
}

/** Pieces in order. It is empty most of the time: what a socket takes at once is not queued. */
class PieceQueue implements Encoder<Uint8Array> {
  #pieces: Uint8Array[] | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(piece: Uint8Array): void {
    if (this.#pieces === undefined) this.#pieces = [piece];
    else this.#pieces.push(piece);
    this.#size += piece.length;
  }

  take(): Uint8Array {
    const pieces = this.#pieces ?? [];
    const taken = pieces.length === 1 ? pieces[0]! : join(pieces, this.#size);
    this.#pieces = undefined;
    this.#size = 0;
    return taken;
  }
}

function join(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
