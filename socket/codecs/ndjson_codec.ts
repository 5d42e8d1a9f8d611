/** Newline-delimited JSON: one value per line. Pure. @module */
import { parseNumbers, rawNumber } from "../../internal/json_numbers.ts";
import { quoted } from "../../internal/printable.ts";
import { FramingError } from "../errors.ts";
import type { Codec, Decoded, Decoder } from "./codec.ts";
import { lineCodec } from "./line_codec.ts";

/** A value that JSON can represent. Integers that a number would round are bigints. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * A codec for JSON values, one per line. Empty lines are skipped.
 *
 * Numbers arrive as they were sent, so that two different ids are never equal: an integer that a number would round is a
 * bigint, and a number that is too large, such as `1e999`, is a framing error. The encoder throws a TypeError for `NaN`
 * and `Infinity`, which JSON cannot represent. Fractions are rounded to the nearest number.
 *
 * @param options.maxLine Limit of a received line, in bytes. Default 64 KiB.
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
        push: (value) => encoder.push(stringify(value)),
        take: () => encoder.take(),
      };
    },
  };
}

// Few lines have a number that may lose something, and looking at each number takes several times as long.
const MAY_BE_INEXACT = /\d{16}|\d[eE]/;

function parse(line: string): JsonValue {
  return (MAY_BE_INEXACT.test(line) ? parseNumbers(line, numberOf) : JSON.parse(line)) as JsonValue;
}

/** @throws {RangeError} If the number is too large. */
function numberOf(source: string): number | bigint {
  const number = Number(source);
  if (!Number.isFinite(number)) throw new RangeError(`Cannot represent ${source}`);
  return /^-?\d+$/.test(source) && !Number.isSafeInteger(number) ? BigInt(source) : number;
}

/** @throws {TypeError} If JSON cannot represent the value. */
function stringify(value: JsonValue): string {
  // Only `null`, NaN, Infinity, and undefined become "null", and only bigints need help.
  const text = quickly(value);
  return text === undefined || text.includes("null") ? stringifyExactly(value) : text;
}

function quickly(value: JsonValue): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function stringifyExactly(value: JsonValue): string {
  const text: string | undefined = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return rawNumber(`${part}`);
    if (typeof part === "number" && !Number.isFinite(part)) {
      throw new TypeError(`Cannot encode ${part} as JSON: expected a finite number`);
    }
    return part;
  });
  if (text === undefined) throw new TypeError(`Cannot encode ${typeof value} as JSON`);
  return text;
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
        frames.push(parse(line));
      } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
        const what = error instanceof SyntaxError ? "not JSON" : "JSON with a number that is too large";
        return { frames, error: new FramingError("bad-frame", `Line is ${what}: ${quoted(line)}`) };
      }
    }
    return error === undefined ? { frames } : { frames, error };
  }

  end(): FramingError | undefined {
    return this.#lines.end();
  }
}
