/** Reads one response of HTTP/1 far enough to know its status and its end (RFC 9112). Pure. @module */
import { Buffer } from "node:buffer";

const HEAD_END = "\r\n\r\n";
const MOST_HEAD_BYTES = 64 * 1024;

/** Takes the bytes of a connection that carries one response, to a request with `Connection: close`. */
export class ResponseReader {
  /** What came before the body, a unit a byte. */
  #head = "";
  #status: number | undefined;
  /** Bytes of the body to come; Infinity where only the end of the connection tells. */
  #left = Infinity;
  #complete = false;

  /** The status, once the head is there; `undefined` before, and for what is no response. */
  get status(): number | undefined {
    return this.#status;
  }

  /** The first line of what came, once it is whole, where it is none of a response. */
  get strayLine(): string | undefined {
    const end = this.#head.indexOf("\n");
    if (end < 0 || this.#head.startsWith("HTTP/")) return undefined;
    return Buffer.from(this.#head.slice(0, end), "latin1").toString().replace(/\r$/, "");
  }

  /** Whether the response has come to its end. */
  get complete(): boolean {
    return this.#complete;
  }

  push(bytes: Uint8Array): void {
    if (this.#status !== undefined) return this.#take(bytes.length);
    if (this.#head.length > MOST_HEAD_BYTES) return;
    this.#head += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    const body = this.#head.length - end - HEAD_END.length;
    this.#readHead(this.#head.slice(0, end));
    this.#take(body);
  }

  /** The connection has ended; a body of unknown length is complete by that. */
  end(): void {
    if (this.#status !== undefined && this.#left === Infinity) this.#complete = true;
  }

  #readHead(head: string): void {
    const [, status] = /^HTTP\/1\.\d (\d{3})(?: |\r|$)/.exec(head) ?? [];
    if (status === undefined) return;
    this.#status = Number(status);
    // Behind a transfer coding the length means nothing (RFC 9112, 6.3); the end of the connection ends it too.
    if (/^transfer-encoding:/im.test(head)) return;
    const [, length] = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(head) ?? [];
    if (length !== undefined) this.#left = Number(length);
  }

  #take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left <= 0) this.#complete = true;
  }
}
