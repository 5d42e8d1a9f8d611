/** A {@linkcode Transport} as a stream of Node.js, for what stands on such streams. @module */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Transport } from "./network.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** Looks at the first bytes that came; gives `false` when they are not for the stream, which then sees nothing more. */
export type FirstBytes = (bytes: Uint8Array) => boolean;

/** Reads only as the stream is read, and completes a write when the transport has taken it all: backpressure passes both ways. */
export class TransportStream extends Duplex {
  readonly #transport: Transport;
  readonly #buffer = new ReadBuffer();
  #first: FirstBytes | undefined;
  #full: () => boolean = () => false;
  #waiting = false;

  constructor(transport: Transport, first?: FirstBytes) {
    super({ allowHalfOpen: true });
    this.#transport = transport;
    this.#first = first;
  }

  /** Reads no further while `full` holds: what stands on the stream may take all it is given, and keep it. */
  readWhileNot(full: () => boolean): void {
    this.#full = full;
  }

  /** Looks again whether it may read. */
  resumeReading(): void {
    if (this.#waiting && !this.#full()) this._read();
  }

  override _read(): void {
    this.#waiting = this.#full();
    if (this.#waiting) return;
    this.#transport.read(this.#buffer.free()).then(
      (count) => this.#give(count),
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writeAll(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#transport.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#transport.close();
    done(error);
  }

  #give(count: number | null): void {
    const bytes = count === null ? null : this.#buffer.filled(count);
    if (bytes !== null && this.#first !== undefined) {
      const wanted = this.#first(bytes);
      this.#first = undefined;
      if (!wanted) return;
    }
    // A copy: the buffer is read into again, and an idle stream should hold no more than the small one.
    this.push(bytes === null ? null : Buffer.from(bytes));
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#transport.write(rest));
  }
}
