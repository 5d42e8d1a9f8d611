/** Sized and chunked bodies of requests and responses (RFC 9112, 6 and 7). Pure. @module */
import { plural } from "../internal/plural.ts";
import { HttpError } from "./errors.ts";
import { FieldSection, headersOf } from "./field_section.ts";
import { LineReader } from "./line_reader.ts";

/** A piece of a body, or its end. */
export interface BodyStep {
  /** The number of bytes of the input that the step used. */
  readonly used: number;
  readonly data?: Uint8Array;
  /** Present at the end of the body. */
  readonly trailers?: Headers;
}

/** Converts bytes to the pieces of one body. */
export interface BodyReader {
  /** Takes some or all of `bytes`, which must not be empty. */
  take(bytes: Uint8Array): BodyStep;
}

/** Options for {@linkcode ChunkedBodyReader}. */
export interface ChunkedBodyOptions {
  /** Limit of the body, in bytes. */
  readonly maxBody: number;
  /** Limit of all trailer lines together, in bytes. */
  readonly maxHeaders: number;
  /** Whether trailer lines may be folded, which is so in responses. Default `false`. */
  readonly folding?: boolean;
}

/** Reads a body of known length. */
export class SizedBodyReader implements BodyReader {
  #left: number;

  /** @param length Length in bytes, at least 1. */
  constructor(length: number) {
    this.#left = length;
  }

  take(bytes: Uint8Array): BodyStep {
    const data = bytes.slice(0, this.#left);
    this.#left -= data.length;
    return { used: data.length, data, ...(this.#left === 0 ? { trailers: new Headers() } : {}) };
  }
}

// The size in hexadecimal, and extensions. They are rarely used but have a grammar (RFC 9112, 7.1.1).
const CHUNK_LINE =
  /^([0-9A-Fa-f]{1,12})((?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*)$/;
const MAX_CHUNK_LINE = 256;
// For the whole body, because no body limit counts the extensions of many small chunks.
const MAX_EXTENSIONS = 4096;

/** Reads a chunked body and its trailers. */
export class ChunkedBodyReader implements BodyReader {
  readonly #options: ChunkedBodyOptions;
  readonly #lines = new LineReader();
  readonly #trailers: FieldSection;
  #expected: "size" | "data" | "data-end" | "trailers" = "size";
  #left = 0;
  #total = 0;
  #extensionBytes = 0;

  constructor(options: ChunkedBodyOptions) {
    this.#options = options;
    const { maxHeaders: maxBytes, folding = false } = options;
    this.#trailers = new FieldSection({ maxBytes, folding });
  }

  take(bytes: Uint8Array): BodyStep {
    switch (this.#expected) {
      case "size":
        return this.#takeSize(bytes);
      case "data":
        return this.#takeData(bytes);
      case "data-end":
        return this.#takeDataEnd(bytes);
      case "trailers":
        return this.#takeTrailer(bytes);
    }
  }

  #takeSize(bytes: Uint8Array): BodyStep {
    const { line, used } = this.#lines.take(
      bytes,
      MAX_CHUNK_LINE,
      () => new HttpError(400, `Chunk size and extensions are over ${MAX_CHUNK_LINE} bytes`),
    );
    if (line === undefined) return { used };
    const parts = CHUNK_LINE.exec(line);
    if (!parts) throw new HttpError(400, "Chunk size is not a hexadecimal number");
    this.#extensionBytes += parts[2]!.length;
    if (this.#extensionBytes > MAX_EXTENSIONS) {
      throw new HttpError(400, `Chunk extensions are over ${MAX_EXTENSIONS} bytes in all`);
    }
    this.#left = parseInt(parts[1]!, 16);
    this.#total += this.#left;
    if (this.#total > this.#options.maxBody) {
      throw new HttpError(413, `Body is over ${plural(this.#options.maxBody, "byte")}`);
    }
    this.#expected = this.#left === 0 ? "trailers" : "data";
    return { used };
  }

  #takeData(bytes: Uint8Array): BodyStep {
    const data = bytes.slice(0, this.#left);
    this.#left -= data.length;
    if (this.#left === 0) this.#expected = "data-end";
    return { used: data.length, data };
  }

  #takeDataEnd(bytes: Uint8Array): BodyStep {
    const { line, used } = this.#lines.take(
      bytes,
      0,
      () => new HttpError(400, "Chunk is longer than its size says"),
    );
    if (line !== undefined) this.#expected = "size";
    return { used };
  }

  #takeTrailer(bytes: Uint8Array): BodyStep {
    const { line, used } = this.#lines.take(
      bytes,
      this.#trailers.bytesLeft,
      () => new HttpError(431, `Trailers are over ${plural(this.#options.maxHeaders, "byte")}`),
    );
    if (line === undefined) return { used };
    // Trailers never become headers: what a header has decided must not change afterwards.
    if (line === "") return { used, trailers: headersOf(this.#trailers.take()) };
    this.#trailers.add(line);
    return { used };
  }
}
