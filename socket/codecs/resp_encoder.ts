/** Encodes RESP values. Pure. @module */
import { Buffer } from "node:buffer";
import type { Encoder } from "./codec.ts";
import { RespError, type RespValue } from "./resp_value.ts";
import { encodeUtf8 } from "./utf8.ts";

const SHORT_TEXT = 64;
const LAST_ASCII = 127;

/** Encodes the values of one stream. */
export class RespEncoder implements Encoder<RespValue> {
  readonly #role: "client" | "server";
  #text = "";

  constructor(role: "client" | "server") {
    this.#role = role;
  }

  get size(): number {
    return this.#text.length;
  }

  push(value: RespValue): void {
    if (this.#role === "server") this.#text += encode(value);
    else if (typeof value === "string") this.#text += `*1\r\n${bulk(value)}`;
    else this.#text += command(value);
  }

  take(): Uint8Array {
    const bytes = encodeUtf8(this.#text);
    this.#text = "";
    return bytes;
  }
}

function command(words: RespValue): string {
  if (!Array.isArray(words)) {
    throw new TypeError(
      `Cannot send ${String(words)} as a command: expected a text, or an array of texts and numbers`,
    );
  }
  let text = `*${words.length}\r\n`;
  for (const word of words) {
    if (typeof word !== "string" && typeof word !== "number" && typeof word !== "bigint") {
      throw new TypeError(`Cannot send ${String(word)} in a command: expected a text or a number`);
    }
    text += bulk(String(word));
  }
  return text;
}

function bulk(text: string): string {
  return `$${byteLength(text)}\r\n${text}\r\n`;
}

/** Counts short ASCII texts itself: to ask the runtime takes longer than to encode them. */
function byteLength(text: string): number {
  const { length } = text;
  if (length > SHORT_TEXT) return Buffer.byteLength(text);
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) > LAST_ASCII) return Buffer.byteLength(text);
  return length;
}

function encode(value: RespValue): string {
  if (typeof value === "string") return bulk(value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) return `,${formatDouble(value)}\r\n`;
  if (typeof value === "number" || typeof value === "bigint") return `:${value}\r\n`;
  if (value === null) return "$-1\r\n";
  if (typeof value === "boolean") return `#${value ? "t" : "f"}\r\n`;
  if (value instanceof RespError) return `-${value.message.replaceAll(/[\r\n]/g, " ")}\r\n`;
  if (value instanceof Map) return `%${value.size}\r\n${[...value].flat().map(encode).join("")}`;
  const items = value as readonly RespValue[];
  return `*${items.length}\r\n${items.map(encode).join("")}`;
}

function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "nan";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}
