/** Bytes that are passed on. Pure. @module */
import type { Codec, Decoded, Encoder } from "./codec.ts";
import type { FramingError } from "../errors.ts";

/**
 * Bytes from one socket to another without a copy on the way: a frame is the read buffer itself, good until the next
 * is asked for or the connection is ended, and what is sent must be left alone until it is flushed. Memory that stays
 * the same stays in the processor's cache, which is worth more than reading ahead.
 */
export const rawCodec: Codec<Uint8Array> = {
  decoder: () => ({ push: lent, end: finished }),
  encoder: () => new PieceQueue(),
};

function lent(bytes: Uint8Array): Decoded<Uint8Array> {
  return { frames: [bytes] };
}

/** Any byte may be the last. */
function finished(): FramingError | undefined {
  return undefined;
}

/** Pieces in order; mostly there is one. */
class PieceQueue implements Encoder<Uint8Array> {
  #pieces: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  take(): Uint8Array {
    const taken = this.#pieces.length === 1 ? this.#pieces[0]! : this.#joined();
    this.#pieces = [];
    this.#size = 0;
    return taken;
  }

  #joined(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}
