/** Newline-delimited JSON: one value a line. Pure. @module */
import { quoted } from "../../internal/printable.ts";
import { FramingError } from "../errors.ts";
import type { Codec, Decoded, Decoder } from "./codec.ts";
import { lineCodec } from "./line_codec.ts";

/** A value that JSON can carry. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * JSON values, one a line. Empty lines are skipped.
 *
 * @param options.maxLine Most bytes of a received line. Default 64 KiB.
 * @throws {RangeError} If `maxLine` is not an integer from 1.
 *
 * @example
 * ```ts
 * import { ndjsonCodec } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = ndjsonCodec();
 * const encoder = codec.encoder();
 * encoder.push({ id: 1, method: "ping" });
 * assertEquals(codec.decoder().push(encoder.take()).frames, [{ id: 1, method: "ping" }]);
 * ```
 */
export function ndjsonCodec(options: { maxLine?: number } = {}): Codec<JsonValue> {
  const lines = lineCodec(options);
  return {
    copies: true,
    decoder: () => new NdjsonDecoder(lines.decoder()),
    encoder: () => {
      const encoder = lines.encoder();
      return {
        get size() {
          return encoder.size;
        },
        push: (value) => encoder.push(JSON.stringify(value)),
        take: () => encoder.take(),
      };
    },
  };
}

class NdjsonDecoder implements Decoder<JsonValue> {
  readonly #lines: Decoder<string>;

  constructor(lines: Decoder<string>) {
    this.#lines = lines;
  }

  push(bytes: Uint8Array): Decoded<JsonValue> {
    const { frames: lines, error } = this.#lines.push(bytes);
    const frames: JsonValue[] = [];
    for (const line of lines) {
      if (line.trim() === "") continue;
      try {
        frames.push(JSON.parse(line) as JsonValue);
      } catch {
        return { frames, error: new FramingError("bad-frame", `Line is not JSON: ${quoted(line)}`) };
      }
    }
    return error === undefined ? { frames } : { frames, error };
  }

  end(): FramingError | undefined {
    return this.#lines.end();
  }
}
