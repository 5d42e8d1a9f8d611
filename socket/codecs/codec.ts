/** What turns bytes into frames and back: the one interface behind lines and length-prefixed messages. Pure. @module */
import type { FramingError } from "../errors.ts";

/** What one push of bytes gave: the frames completed by it, and the error that ends the stream, if there is one. */
export interface Decoded<Frame> {
  /** Frames in order; those before an error are good. */
  readonly frames: readonly Frame[];
  /** The error that ends the stream, if any. */
  readonly error?: FramingError;
}

/** Bytes of one peer to frames, bounded in memory. Pure. After an error nothing more may be pushed. */
export interface Decoder<Frame> {
  /** Decodes the next bytes of the stream. */
  push(bytes: Uint8Array): Decoded<Frame>;
  /** The peer has finished: an error if it did so inside a frame. */
  end(): FramingError | undefined;
}

/** Frames for one peer, gathered until there is a chance to write them. Pure. */
export interface Encoder<Frame> {
  /** What waits in here, in bytes; text counts a byte a UTF-16 unit until it is encoded. */
  readonly size: number;
  /** Queues a frame. */
  push(frame: Frame): void;
  /** Takes out all that waits, as bytes that nothing else will touch. */
  take(): Uint8Array;
}

/** A way of framing: makes the two halves that one connection needs. */
export interface Codec<Frame> {
  /**
   * Whether neither frames nor the state of a decoder refer to the memory of pushed bytes. Connections may then read
   * into memory that they share, which is overwritten as soon as `push` and the handler return. Default `false`.
   */
  readonly copies?: boolean;
  /** Creates a decoder for one connection. */
  decoder(): Decoder<Frame>;
  /** Creates an encoder for one connection. */
  encoder(): Encoder<Frame>;
}
