/** A codec without framing. Pure. @module */
import { ByteQueue } from "../../internal/byte_queue.ts";
import type { Codec, Decoded } from "./codec.ts";
import type { FramingError } from "../errors.ts";

/**
 * A codec for bytes as they arrive, one frame per read: for forwarding, and for protocols with their own framing. A frame
 * is a copy that the receiver can keep, and it is never empty. TCP keeps no boundaries, so they have no meaning.
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

/** Every byte can be the last. */
function finished(): FramingError | undefined {
  return undefined;
}
