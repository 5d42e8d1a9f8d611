/** A {@linkcode Transport} as a Node.js stream, for libraries that use such streams. @module */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { ByteQueue } from "../internal/byte_queue.ts";
import type { Transport } from "../socket/network.ts";
import { ReadBuffer } from "../socket/connection/read_buffer.ts";

/** The decision about the first bytes: pass them to the stream, wait for more, or never pass them. */
export type FirstBytes = "take" | "wait" | "refuse";

/** Receives the events of the transport under a {@linkcode TransportStream}. The stream itself never fails. */
export interface TransportStreamOwner {
  /**
   * Decides about all bytes that have arrived so far, until it takes or refuses them. They are valid during the call.
   * Default: takes them.
   */
  first?(bytes: Uint8Array): FirstBytes;
  /** Reports that no more bytes will arrive, because of the peer's FIN or a read error. */
  ended(error?: Error): void;
  /** Reports that a write has failed. Later writes are dropped. */
  writeFailed(error: Error): void;
}

/**
 * Reads only when the stream is read, and completes a write when the transport has taken all of it, so backpressure works
 * in both directions. An error ends only its own direction, as in a socket. The owner closes the transport.
 */
export class TransportStream extends Duplex {
  readonly #transport: Transport;
  readonly #owner: TransportStreamOwner;
  readonly #buffer = new ReadBuffer();
  /** Bytes that the owner has not decided about yet; `undefined` afterwards. */
  #start: ByteQueue | undefined = new ByteQueue();
  #full: () => boolean = () => false;
  #waiting = false;
  #written: (() => void) | undefined;

  constructor(transport: Transport, owner: TransportStreamOwner) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#transport = transport;
    this.#owner = owner;
  }

  /** Stops reading while `full` returns `true`, because the library above may buffer everything that it is given. */
  readWhileNot(full: () => boolean): void {
    this.#full = full;
  }

  /** Checks again whether reading may continue. */
  resumeReading(): void {
    if (this.#waiting && !this.#full()) this._read();
  }

  /** Resolves when the transport has taken everything that was written, or has failed. Supports one pending call. */
  written(): Promise<void> {
    if (this.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => this.#written = resolve);
  }

  /**
   * Does nothing. The library above destroys the stream as soon as both directions have ended, even if the last bytes have
   * not been sent yet. The owner disposes of the stream when that is done.
   */
  override destroy(): this {
    return this;
  }

  /** Releases the stream from the library above. */
  dispose(): void {
    super.destroy();
  }

  override _read(): void {
    this.#waiting = this.#full();
    if (this.#waiting) return;
    this.#transport.read(this.#buffer.free()).then(
      (count) => this.#give(count),
      (error) => this.#owner.ended(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#writeAll(chunk).catch((error) => this.#owner.writeFailed(error)).finally(() => {
      done();
      if (this.writableLength === 0) this.#written?.();
    });
  }

  #give(count: number | null): void {
    if (this.destroyed) return;
    if (count === null) {
      this.#owner.ended();
      this.push(null);
      return;
    }
    const bytes = this.#buffer.filled(count);
    // A copy, because the buffer is reused, and an idle stream should hold only the small buffer.
    if (this.#start === undefined) this.push(Buffer.from(bytes));
    else this.#decide(this.#start, bytes);
  }

  #decide(start: ByteQueue, bytes: Uint8Array): void {
    start.push(bytes);
    const verdict = this.#owner.first?.(start.bytes) ?? "take";
    if (verdict === "wait") {
      this._read();
      return;
    }
    this.#start = undefined;
    if (verdict !== "take") return;
    const taken = start.take();
    this.push(Buffer.from(taken.buffer, taken.byteOffset, taken.length));
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#transport.write(rest));
  }
}
