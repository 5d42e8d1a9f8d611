/** Decodes RESP values. Pure. @module */
import { Buffer } from "node:buffer";
import { plural } from "../../internal/plural.ts";
import { quoted } from "../../internal/printable.ts";
import { FramingError } from "../errors.ts";
import type { Decoded, Decoder } from "./codec.ts";
import { RespError, type RespValue } from "./resp_value.ts";

/** Most bytes of a line: of a type, a length, a simple string, or an error. */
const MAX_LINE = 64 * 1024;
/** Most items of an array, and most arrays inside of one another. */
const MAX_ITEMS = 1024 * 1024;
const MAX_DEPTH = 32;
/** Most units of a text to compare with the next one, and most bytes of a line to search here. */
const SHORT = 32;
const LAST_ASCII = 127;
const CR = 13;
const LF = 10;
const NOTHING = new Uint8Array(0);

/** An array or a map whose items have not all come. */
interface Partial {
  readonly items: RespValue[];
  missing: number;
  readonly map: boolean;
}

/** Decodes the values of one stream. */
export class RespDecoder implements Decoder<RespValue> {
  readonly #maxBulk: number;
  #buffer: Uint8Array<ArrayBuffer> = NOTHING;
  #end = 0;
  #at = 0;
  /** Type and length of the bulk string that comes; -1 while a line comes. */
  #bulk = -1;
  #bulkType = 0;
  /** The last short texts: a reply is often the same as the one before. */
  #lastSimple = "OK";
  #lastBulk = "";
  readonly #partial: Partial[] = [];

  constructor(maxBulk: number) {
    this.#maxBulk = maxBulk;
  }

  push(bytes: Uint8Array): Decoded<RespValue> {
    this.#append(bytes);
    const frames: RespValue[] = [];
    let error: FramingError | undefined;
    while (this.#at < this.#end) {
      const value = this.#bulk >= 0 ? this.#takeBulk() : this.#takeLine();
      if (value === undefined) break;
      if (value instanceof FramingError) {
        error = value;
        break;
      }
      if (value !== PENDING) this.#complete(value, frames);
    }
    this.#compact(bytes);
    return error === undefined ? { frames } : { frames, error };
  }

  end(): FramingError | undefined {
    if (this.#at === this.#end && this.#bulk < 0 && this.#partial.length === 0) return undefined;
    return new FramingError("unterminated", "Stream ended inside a RESP value");
  }

  /** Adds a whole value to the array that waits for it, or to the frames. */
  #complete(value: RespValue, frames: RespValue[]): void {
    for (let whole = value;;) {
      const parent = this.#partial.at(-1);
      if (parent === undefined) {
        frames.push(whole);
        return;
      }
      parent.items.push(whole);
      if (--parent.missing > 0) return;
      this.#partial.pop();
      whole = parent.map ? mapOf(parent.items) : parent.items;
    }
  }

  #takeLine(): RespValue | FramingError | typeof PENDING | undefined {
    const start = this.#at;
    const lf = this.#lineEnd(start);
    if (lf < 0 || lf >= this.#end) {
      if (this.#end - start > MAX_LINE) {
        return new FramingError("line-too-long", `RESP line is over the limit of ${MAX_LINE} bytes`);
      }
      return undefined;
    }
    if (this.#buffer[lf - 1] !== CR) {
      return badFrame("a line that does not end in CRLF", this.#text(start, lf));
    }
    this.#at = lf + 1;
    const type = this.#buffer[start]!;
    if (type === 43) {
      if (this.#is(this.#lastSimple, start + 1, lf - 1)) return this.#lastSimple;
      const text = this.#text(start + 1, lf - 1);
      if (text.length <= SHORT) this.#lastSimple = text;
      return text;
    }
    if (type === 36 || type === 33 || type === 61) {
      return this.#startBulk(type, this.#length(start + 1, lf - 1));
    }
    const text = this.#text(start + 1, lf - 1);
    switch (type) {
      case 45: // -
        return new RespError(text);
      case 58: // :
        return integerOf(text);
      case 95: // _
        return null;
      case 35: // #
        return text === "t" || text === "f" ? text === "t" : badFrame("a boolean", text);
      case 44: // ,
        return doubleOf(text);
      case 40: // (
        return /^[+-]?\d+$/.test(text) ? BigInt(text) : badFrame("a big number", text);
      case 42: // *
      case 126: // ~
      case 62: // >
        return this.#startArray(text, false);
      case 37: // %
        return this.#startArray(text, true);
      default:
        return badFrame("a type", String.fromCharCode(type) + text);
    }
  }

  #startBulk(type: number, length: number): FramingError | typeof PENDING | null {
    if (length === -1) return null;
    if (!(length >= 0)) return new FramingError("bad-length", "Length of a RESP string is not a number");
    if (length > this.#maxBulk) {
      return new FramingError(
        "frame-too-long",
        `RESP string of ${plural(length, "byte")} is over the limit of ${this.#maxBulk}`,
      );
    }
    this.#bulk = length;
    this.#bulkType = type;
    return PENDING;
  }

  #takeBulk(): RespValue | FramingError | undefined {
    const end = this.#at + this.#bulk;
    if (end + 2 > this.#end) return undefined;
    if (this.#buffer[end] !== CR || this.#buffer[end + 1] !== LF) {
      return badFrame("CRLF after a string", this.#text(end, end + 2));
    }
    const repeated = this.#is(this.#lastBulk, this.#at, end);
    const text = repeated ? this.#lastBulk : this.#text(this.#at, end);
    if (!repeated && text.length <= SHORT) this.#lastBulk = text;
    this.#at = end + 2;
    this.#bulk = -1;
    if (this.#bulkType === 33) return new RespError(text);
    return this.#bulkType === 61 ? text.slice(4) : text;
  }

  #startArray(text: string, map: boolean): FramingError | typeof PENDING | RespValue {
    const count = /^-?\d+$/.test(text) ? Number(text) : NaN;
    if (count === -1) return null;
    const items = map ? 2 * count : count;
    if (!(items >= 0 && items <= MAX_ITEMS)) {
      return new FramingError(
        "bad-length",
        `Length of a RESP array is not from 0 to ${MAX_ITEMS}: ${quoted(text)}`,
      );
    }
    if (items === 0) return map ? new Map() : [];
    if (this.#partial.length >= MAX_DEPTH) {
      return new FramingError("bad-length", `RESP arrays are nested over ${MAX_DEPTH} deep`);
    }
    this.#partial.push({ items: [], missing: items, map });
    return PENDING;
  }

  #length(from: number, to: number): number {
    if (this.#buffer[from] === 45) return to === from + 2 && this.#buffer[from + 1] === 49 ? -1 : NaN; // -1
    let length = from < to ? 0 : NaN;
    for (let at = from; at < to; at++) {
      const digit = this.#buffer[at]! - 48;
      if (digit < 0 || digit > 9) return NaN;
      length = 10 * length + digit;
    }
    return length;
  }

  /** The place of the next LF, or -1. Lines are short, so that a search of the runtime takes longer. */
  #lineEnd(from: number): number {
    const near = Math.min(from + SHORT, this.#end);
    for (let at = from; at < near; at++) if (this.#buffer[at] === LF) return at;
    return near < this.#end ? this.#buffer.indexOf(LF, near) : -1;
  }

  /** Whether bytes are the ASCII text `text`. */
  #is(text: string, from: number, to: number): boolean {
    if (to - from !== text.length) return false;
    for (let at = 0; at < text.length; at++) {
      const byte = this.#buffer[from + at]!;
      if (byte !== text.charCodeAt(at) || byte > LAST_ASCII) return false;
    }
    return true;
  }

  #text(from: number, to: number): string {
    return Buffer.prototype.toString.call(this.#buffer, "utf8", from, to);
  }

  /** Reads where the bytes are, unless something of an earlier read is left. */
  #append(bytes: Uint8Array): void {
    const left = this.#end - this.#at;
    if (left === 0) {
      this.#buffer = bytes as Uint8Array<ArrayBuffer>;
      this.#at = 0;
      this.#end = bytes.length;
      return;
    }
    if (this.#end + bytes.length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(2 * left, left + bytes.length));
      grown.set(this.#buffer.subarray(this.#at, this.#end));
      this.#buffer = grown;
      this.#at = 0;
      this.#end = left;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Keeps what is left in memory of its own: the reader uses its buffer again. */
  #compact(bytes: Uint8Array): void {
    if (this.#at === this.#end) {
      this.#buffer = NOTHING;
      this.#at = this.#end = 0;
    } else if (this.#buffer === bytes) {
      this.#buffer = bytes.slice(this.#at, this.#end);
      this.#end -= this.#at;
      this.#at = 0;
    }
  }
}

/** More has to come before there is a value. */
const PENDING: unique symbol = Symbol("pending");

function badFrame(expected: string, got: string): FramingError {
  return new FramingError("bad-frame", `Not RESP: expected ${expected}, got ${quoted(got)}`);
}

function integerOf(text: string): number | bigint | FramingError {
  if (!/^[+-]?\d+$/.test(text)) return badFrame("an integer", text);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function doubleOf(text: string): number | FramingError {
  if (text === "inf" || text === "-inf") return text === "inf" ? Infinity : -Infinity;
  if (text === "nan") return NaN;
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : badFrame("a double", text);
}

function mapOf(items: readonly RespValue[]): ReadonlyMap<RespValue, RespValue> {
  const map = new Map<RespValue, RespValue>();
  for (let index = 0; index < items.length; index += 2) {
    map.set(items[index] ?? null, items[index + 1] ?? null);
  }
  return map;
}
