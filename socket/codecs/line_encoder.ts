/** Encodes lines. Pure. @module */
import { ByteWriter } from "./byte_writer.ts";
import type { Encoder } from "./codec.ts";
import { assertOneLine, type Line } from "./line.ts";
import { encodeUtf8, encodeUtf8Into } from "./utf8.ts";

/** Gathers lines until they are written: strings as text, and lines that are bytes as bytes. */
export class LineEncoder implements Encoder<string> {
  // V8 joins strings lazily: gathering costs little, and the text is laid out once, when it is taken. Empty while there
  // are bytes.
  #text = "";
  /** Created for the first line that is bytes. */
  #bytes: ByteWriter | undefined;

  get size(): number {
    return this.#text.length + (this.#bytes === undefined ? 0 : this.#bytes.size);
  }

  push(line: string): void {
    assertOneLine(line);
    if (this.#bytes !== undefined && this.#bytes.size > 0) this.#bytes.text(line + "\n");
    else this.#text += line + "\n";
  }

  pushLine(line: Line): void {
    const bytes = this.#bytes ??= new ByteWriter();
    if (this.#text !== "") {
      bytes.text(this.#text);
      this.#text = "";
    }
    bytes.line(line);
  }

  take(): Uint8Array {
    if (this.#text === "" && this.#bytes !== undefined) return this.#bytes.take();
    const bytes = encodeUtf8(this.#text);
    this.#text = "";
    return bytes;
  }

  takeInto(buffer: Uint8Array): number | undefined {
    if (this.#text === "" && this.#bytes !== undefined) return this.#bytes.takeInto(buffer);
    const count = encodeUtf8Into(this.#text, buffer);
    if (count !== undefined) this.#text = "";
    return count;
  }
}
