/** A transport as a Node stream. @module */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Transport } from "../socket/network.ts";

/** Bytes of one read: a request of the admin server is shorter. */
const READ_BYTES = 16 * 1024;

/** A transport as the stream that the HTTP server of `node:http` expects of a socket. */
export class TransportStream extends Duplex {
  readonly #transport: Transport;

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
    this.#transport.close();
    done(error);
  }

  /** Does nothing: the HTTP listener has timeouts of its own. */
  setTimeout(): this {
    return this;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#transport.write(bytes.subarray(at));
  }
}
