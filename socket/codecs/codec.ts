/** The interface of all codecs, which turn bytes into frames and back. Pure. @module */
import type { FramingError } from "../errors.ts";
import type { Line, LineSink } from "./line.ts";

/** The result of decoding bytes: the completed frames, and the error that ends the stream, if any. */
export interface Decoded<Frame> {
  /** The frames in order. Frames before an error are good. */
  readonly frames: readonly Frame[];
  /** The error that ends the stream, if any. */
  readonly error?: FramingError;
}

/**
 * Decodes the bytes of one stream in limited memory. After an error, `push` is not called again. Input that is not valid is
 * returned as an error: if a method throws, the connection is aborted as `handler-failed`, without a message to the peer.
 */
export interface Decoder<Frame> {
  /** Decodes the next bytes of the stream. */
  push(bytes: Uint8Array): Decoded<Frame>;
  /** Ends the stream. Returns an error if it ends inside a frame. */
  end(): FramingError | undefined;
  /**
   * Does the same as `push`, but passes the frames, which are lines, to a sink as bytes. Optional.
   *
   * @returns The number of lines. `error` is set if an error came after them.
   */
  pushLines?(bytes: Uint8Array, sink: LineSink): number;
  /** The error that ended the stream in `pushLines`, if any. */
  readonly error?: FramingError | undefined;
}

/**
 * Encodes frames, and keeps the bytes until they are written. What `push` throws goes to the caller of `send`. If another
 * method throws, or `size` is not 0 after the bytes were taken, the connection is aborted as `handler-failed`.
 */
export interface Encoder<Frame> {
  /** Pending bytes. Text counts one byte per UTF-16 code unit until it is encoded. */
  readonly size: number;
  /** Queues a frame. */
  push(frame: Frame): void;
  /** Queues a frame that is a line, given as bytes, which it copies. Optional: use `push` if it is absent. */
  pushLine?(line: Line): void;
  /** Queues lines with their line ends, or the rest of them, from `start` to `end`, which it copies. Optional, as `pushLine`. */
  pushLines?(bytes: Uint8Array, start: number, end: number): void;
  /** Removes and returns all pending bytes. The caller owns them. */
  take(): Uint8Array;
  /**
   * Removes all pending bytes and writes them to the start of `buffer`, which saves an array for each write.
   * Optional: use `take` if it is absent.
   *
   * @returns The number of bytes, or `undefined` if they might not fit: then they are still pending.
   */
  takeInto?(buffer: Uint8Array): number | undefined;
}

/** A framing: creates a decoder and an encoder for each connection. */
export interface Codec<Frame> {
  /**
   * Whether the decoder copies all bytes that it keeps or delivers. Then connections can read into shared memory, which is
   * overwritten as soon as `push` and the handler return. Default `false`.
   */
  readonly copies?: boolean;
  /** Creates a decoder for one connection. */
  decoder(): Decoder<Frame>;
  /** Creates an encoder for one connection. */
  encoder(): Encoder<Frame>;
}
