/** Encodes RESP values. Pure. @module */
import { Buffer } from "node:buffer";
import { ByteWriter } from "./byte_writer.ts";
import type { Encoder } from "./codec.ts";
import { RespError, type RespValue } from "./resp_value.ts";

const SHORT_TEXT = 64;
/** Most bytes of a type and a length with their line end: the largest safe integer has 16 digits. */
const LONGEST_HEAD = 20;
const LAST_ASCII = 127;
const CR = 13;
const LF = 10;
const ZERO = 48;
const DOLLAR = 36;
const PERCENT = 37;
const STAR = 42;

/** Encodes the values of one stream. */
export class RespEncoder implements Encoder<RespValue> {
  readonly #role: "client" | "server";
  readonly #out = new ByteWriter();

  constructor(role: "client" | "server") {
    this.#role = role;
  }

  get size(): number {
    return this.#out.size;
  }

  push(value: RespValue): void {
    const { size } = this.#out;
    try {
      if (this.#role === "server") this.#value(value);
      else this.#command(typeof value === "string" ? [value] : value);
    } catch (error) {
      this.#out.size = size; // Part of a value would spoil the stream.
      throw error;
    }
  }

  take(): Uint8Array {
    return this.#out.take();
  }

  takeInto(buffer: Uint8Array): number | undefined {
    return this.#out.takeInto(buffer);
  }

  #command(words: RespValue): void {
    if (!Array.isArray(words)) {
      throw new TypeError(
        `Cannot send ${String(words)} as a command: expected a text, or an array of texts and numbers`,
      );
    }
    this.#length(STAR, words.length);
    for (const word of words) {
      if (typeof word === "string") this.#bulk(word);
      else if (typeof word === "number" || typeof word === "bigint") this.#bulk(String(word));
      else throw new TypeError(`Cannot send ${String(word)} in a command: expected a text or a number`);
    }
  }

  #value(value: RespValue): void {
    if (typeof value === "string") return this.#bulk(value);
    if (value instanceof Map) {
      this.#length(PERCENT, value.size);
      for (const [key, item] of value) {
        this.#value(key);
        this.#value(item);
      }
    } else if (Array.isArray(value)) {
      this.#length(STAR, value.length);
      for (const item of value) this.#value(item);
    } else this.#out.text(simple(value));
  }

  /** Writes short ASCII texts here, in one pass: every call of the runtime takes longer than that. */
  #bulk(text: string): void {
    const { length } = text;
    if (length > SHORT_TEXT) return this.#longBulk(text);
    const out = this.#out;
    const bytes = out.reserve(length + LONGEST_HEAD + 2);
    let at = putLength(bytes, out.size, DOLLAR, length);
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > LAST_ASCII) return this.#longBulk(text);
      bytes[at++] = unit;
    }
    bytes[at++] = CR;
    bytes[at++] = LF;
    out.size = at;
  }

  #longBulk(text: string): void {
    this.#length(DOLLAR, Buffer.byteLength(text));
    this.#out.text(text);
    this.#out.text("\r\n");
  }

  #length(type: number, length: number): void {
    const out = this.#out;
    out.size = putLength(out.reserve(LONGEST_HEAD), out.size, type, length);
  }
}

/** Writes a type and a length, and returns the place after them. */
function putLength(bytes: Uint8Array, start: number, type: number, length: number): number {
  let at = start;
  bytes[at++] = type;
  if (length < 10) bytes[at++] = ZERO + length;
  else if (length < 100) {
    const tens = Math.floor(length / 10);
    bytes[at++] = ZERO + tens;
    bytes[at++] = ZERO + length - 10 * tens;
  } else for (const digit of String(length)) bytes[at++] = digit.charCodeAt(0);
  bytes[at++] = CR;
  bytes[at++] = LF;
  return at;
}

/** A value that takes one line. */
function simple(value: RespValue): string {
  if (typeof value === "number" && !Number.isSafeInteger(value)) return `,${formatDouble(value)}\r\n`;
  if (typeof value === "number" || typeof value === "bigint") return `:${value}\r\n`;
  if (value === null) return "$-1\r\n";
  if (typeof value === "boolean") return `#${value ? "t" : "f"}\r\n`;
  if (value instanceof RespError) return `-${value.message.replaceAll(/[\r\n]/g, " ")}\r\n`;
  throw new TypeError(`Cannot send ${String(value)}: expected a RESP value`);
}

function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "nan";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}
