/** Bodies of requests: sized or chunked (RFC 9112, 6 and 7). Pure. @module */
import { plural } from "../internal/plural.ts";
import { parseFieldLine } from "./grammar.ts";
import { HttpError } from "./errors.ts";
import { LineReader } from "./line_reader.ts";

/** A piece of a body, or its end; `used` counts the bytes of the input that it took. */
export interface BodyStep {
  readonly used: number;
  readonly data?: Uint8Array;
  readonly trailers?: Headers;
}

/** What turns bytes into pieces of one body. */
export interface BodyReader {
  /** Takes what it can of `bytes`, which are not empty. */
  take(bytes: Uint8Array): BodyStep;
}

/** Limits of a body, in bytes. */
export interface BodyLimits {
  readonly maxBody: number;
  /** Of all trailer lines together. */
  readonly maxHeaders: number;
}

/** A body of so many bytes, at least one. */
export class SizedBodyReader implements BodyReader {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  take(bytes: Uint8Array): BodyStep {
    const data = bytes.slice(0, this.#left);
    this.#left -= data.length;
    return { used: data.length, data, ...(this.#left === 0 ? { trailers: new Headers() } : {}) };
  }
}

// The size in hexadecimal, and extensions, which have a grammar although nobody uses them (RFC 9112, 7.1.1).
const CHUNK_LINE =
  /^([0-9A-Fa-f]{1,12})((?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*)$/;
const MAX_CHUNK_LINE = 256;
// Over the whole body: chunks of one byte, each with an extension, would be traffic that no body limit sees.
const MAX_EXTENSIONS = 4096;

/** A chunked body, its trailers included. */
export class ChunkedBodyReader implements BodyReader {
  readonly #limits: BodyLimits;
  readonly #lines = new LineReader();
  #expected: "size" | "data" | "data-end" | "trailers" = "size";
  #left = 0;
  #total = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  readonly #trailers = new Headers();

  constructor(limits: BodyLimits) {
    this.#limits = limits;
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
    if (this.#total > this.#limits.maxBody) {
      throw new HttpError(413, `Body is over ${plural(this.#limits.maxBody, "byte")}`);
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
    const { maxHeaders } = this.#limits;
    const { line, used } = this.#lines.take(
      bytes,
      maxHeaders - this.#trailerBytes,
      () => new HttpError(431, `Trailers are over ${plural(maxHeaders, "byte")}`),
    );
    if (line === undefined) return { used };
    // Never merged into the headers: what was decided by those cannot be changed afterwards.
    if (line === "") return { used, trailers: this.#trailers };
    const { name, value } = parseFieldLine(line);
    this.#trailerBytes += line.length;
    this.#trailers.append(name, value);
    return { used };
  }
}
