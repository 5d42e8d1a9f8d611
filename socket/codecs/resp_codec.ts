/** The codec for RESP, the protocol of Redis and Valkey. Pure. @module */
import type { Codec } from "./codec.ts";
import { RespDecoder } from "./resp_decoder.ts";
import { RespEncoder } from "./resp_encoder.ts";
import type { RespValue } from "./resp_value.ts";

/** Options for {@linkcode respCodec}. */
export interface RespOptions {
  /**
   * `client`: an array is sent as a command, whose items are bulk strings, and a text as a command of one word.
   * `server`: numbers are sent as integers. Default `client`.
   */
  readonly role?: "client" | "server";
  /** Most bytes of a bulk string. Default 16 MiB. */
  readonly maxBulk?: number;
}

const MAX_BULK = 16 * 1024 * 1024;

/**
 * RESP2, and the types of RESP3: null, booleans, doubles, big numbers, bulk errors, verbatim strings, maps, sets, and
 * pushes (the last two as arrays).
 *
 * Specification: https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * @example
 * ```ts
 * import { respCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = respCodec();
 * const encoder = codec.encoder();
 * encoder.push(["GET", "key"]);
 * assertEquals(new TextDecoder().decode(encoder.take()), "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
 * const replies = new TextEncoder().encode("+OK\r\n$2\r\nhi\r\n:42\r\n$-1\r\n");
 * assertEquals(codec.decoder().push(replies).frames, ["OK", "hi", 42, null]);
 * ```
 */
export function respCodec({ role = "client", maxBulk = MAX_BULK }: RespOptions = {}): Codec<RespValue> {
  return {
    copies: true,
    decoder: () => new RespDecoder(maxBulk),
    encoder: () => new RespEncoder(role),
  };
}
