/** Encodes lines. Pure. @module */
import { ByteWriter } from "./byte_writer.ts";
import type { Encoder } from "./codec.ts";
import { assertOneLine, type Line } from "./line.ts";
import { encodeUtf8, encodeUtf8Into } from "./utf8.ts";

/**
 * Gathers lines until they are written: strings as text, and lines that are bytes as bytes. It is a writer instead of having
 * one, because with thousands of connections, each object is out of the processor's cache.
 */
export class LineEncoder extends ByteWriter implements Encoder<string> {
  // V8 joins strings lazily: gathering costs little, and the text is laid out once, when it is taken. Empty while there
  // are bytes.
  #text = "";

  override get size(): number {
    return this.#text.length + super.size;
  }

  push(line: string): void {
    assertOneLine(line);
    if (super.size > 0) this.text(line + "\n");
    else this.#text += line + "\n";
  }

  pushLine(line: Line): void {
    this.#encodeText();
    this.line(line);
  }

  pushLines(bytes: Uint8Array, start: number, end: number): void {
    this.#encodeText();
    this.bytes(bytes, start, end);
  }

  override take(): Uint8Array {
    if (super.size > 0) return super.take();
    const bytes = encodeUtf8(this.#text);
    this.#text = "";
    return bytes;
  }

  override takeInto(buffer: Uint8Array): number | undefined {
    if (super.size > 0) return super.takeInto(buffer);
    const count = encodeUtf8Into(this.#text, buffer);
    if (count !== undefined) this.#text = "";
    return count;
  }

  #encodeText(): void {
    if (this.#text === "") return;
    this.text(this.#text);
    this.#text = "";
  }
}
