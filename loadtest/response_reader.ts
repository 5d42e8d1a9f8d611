/** Reads one response of HTTP/1 far enough to know its status and its end (RFC 9112). Pure. @module */

const HEAD_END = "\r\n\r\n";
const MOST_HEAD_BYTES = 64 * 1024;

/** Takes the bytes of a connection that carries one response, to a request with `Connection: close`. */
export class ResponseReader {
  #head = "";
  #status: number | undefined;
  /** Bytes of the body to come; Infinity where only the end of the connection tells. */
  #left = Infinity;
  #complete = false;
  readonly #decoder = new TextDecoder("latin1");

  /** The status, once the head is there; `undefined` before, and for what is no response. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Whether the response has come to its end. */
  get complete(): boolean {
    return this.#complete;
  }

  push(bytes: Uint8Array): void {
    if (this.#status !== undefined) return this.#take(bytes.length);
    if (this.#head.length > MOST_HEAD_BYTES) return;
    this.#head += this.#decoder.decode(bytes);
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
