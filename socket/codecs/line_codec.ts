/** The codec for lines of limited length. Pure. @module */
import type { Codec } from "./codec.ts";
import { assertMaxLine, DEFAULT_MAX_LINE, LineDecoder } from "./line_decoder.ts";
import { LineEncoder } from "./line_encoder.ts";

/**
 * Returns a codec for lines of UTF-8: one string per line, without its line end. Sent lines end in LF and cannot contain
 * one. A CR at the end of a sent line becomes part of the line end, and a lone surrogate becomes U+FFFD.
 *
 * @param options.maxLine Maximum length of a received line in bytes, without its line end. Default 64 KiB.
 * @throws {RangeError} If `maxLine` is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { lineCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lineCodec({ maxLine: 80 });
 * const encoder = codec.encoder();
 * encoder.push("hello");
 * const bytes = encoder.take();
 * assertEquals(new TextDecoder().decode(bytes), "hello\n");
 * assertEquals(codec.decoder().push(bytes).frames, ["hello"]);
 * ```
 */
export function lineCodec(options: { maxLine?: number } = {}): Codec<string> {
  const maxLine = options.maxLine ?? DEFAULT_MAX_LINE;
  assertMaxLine(maxLine); // Immediately, not with the first connection.
  return { copies: true, decoder: () => new LineDecoder(maxLine), encoder: () => new LineEncoder() };
}

/**
 * Returns the default codec of a listener or connection, which is {@linkcode lineCodec} within its limits.
 *
 * @throws {RangeError} If `limits.maxLine` is not an integer of at least 1.
 */
export function lineCodecWithin({ maxLine = DEFAULT_MAX_LINE }: { readonly maxLine?: number } = {}): Codec<
  string
> {
  assertMaxLine(maxLine, "limits.maxLine");
  // A codec has no state, so that the connections of a client with thousands of them can share one.
  if (lastCodec.maxLine !== maxLine) lastCodec = { maxLine, codec: lineCodec({ maxLine }) };
  return lastCodec.codec;
}

let lastCodec = { maxLine: DEFAULT_MAX_LINE, codec: lineCodec() };
