/** No framing at all: bytes as they came. Pure. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import type { Codec, Decoded } from "./codec.ts";
import type { FramingError } from "../errors.ts";

/**
 * Bytes as they came, a frame a read: for protocols that frame themselves, and for passing bytes on. A frame is a
 * copy, which its receiver may keep; it is never empty. TCP keeps no boundaries, so a frame means nothing by itself.
 *
 * @example
 * ```ts
 * import { bytesCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = bytesCodec.encoder();
 * encoder.push(new Uint8Array([1, 2]));
 * encoder.push(new Uint8Array([3]));
 * assertEquals(bytesCodec.decoder().push(encoder.take()).frames, [new Uint8Array([1, 2, 3])]);
 * ```
 */
export const bytesCodec: Codec<Uint8Array> = {
  copies: true,
  decoder: () => ({ push: copied, end: finished }),
  encoder: () => new ByteQueue(),
};

function copied(bytes: Uint8Array): Decoded<Uint8Array> {
  return { frames: bytes.length === 0 ? [] : [bytes.slice()] };
}

/** Any byte may be the last. */
function finished(): FramingError | undefined {
  return undefined;
}
