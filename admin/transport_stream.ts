/** A transport as a Node stream. @module */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Transport } from "../socket/network.ts";

/** Bytes of one read: a request of the admin server is shorter. */
const READ_BYTES = 16 * 1024;

/** A transport as the stream that the HTTP server of `node:http` expects of a socket. */
export class TransportStream extends Duplex {
  readonly #transport: Transport;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(transport: Transport) {
    super({ allowHalfOpen: true });
    this.#transport = transport;
  }

  override _read(): void {
    const into = Buffer.allocUnsafe(READ_BYTES);
    this.#transport.read(into).then(
      (count) => void this.push(count === null ? null : into.subarray(0, count)),
      (error) => void this.destroy(error),
    );
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeAll(bytes).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#transport.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#transport.close();
    done(error);
  }

  /** Emits `timeout` after `ms` from now; 0 ends the wait. The HTTP server of `node:http` calls it between requests. */
  setTimeout(ms: number): this {
    clearTimeout(this.#timer);
    this.#timer = ms > 0 ? setTimeout(() => void this.emit("timeout"), ms) : undefined;
    return this;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#transport.write(bytes.subarray(at));
  }
}
