/** A {@linkcode Transport} as a stream of Node.js, for what stands on such streams. @module */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Transport } from "../socket/network.ts";
import { ReadBuffer } from "../socket/read_buffer.ts";

/** What becomes of the first bytes: the stream gets them, waits until more have come, or never gets any. */
export type FirstBytes = "take" | "wait" | "refuse";

/** Who a {@linkcode TransportStream} tells what its transport meets: the stream itself never fails. */
export interface TransportStreamOwner {
  /** Judges all the bytes that have come so far, until it takes or refuses them. Default: takes them. */
  first?(bytes: Uint8Array): FirstBytes;
  /** Nothing more will come: the peer's FIN, or what the read met instead. */
  ended(error?: Error): void;
  /** A write has failed. What is written from now on is dropped. */
  writeFailed(error: Error): void;
}

/**
 * Reads only as the stream is read, and completes a write when the transport has taken it all: backpressure passes both
 * ways. An error of one way ends that way alone, as it does in a socket; the transport is its owner's to close.
 */
export class TransportStream extends Duplex {
  readonly #transport: Transport;
  readonly #owner: TransportStreamOwner;
  readonly #buffer = new ReadBuffer();
  /** What the owner has not judged yet; `undefined` once it has. */
  #start: Uint8Array | undefined = new Uint8Array(0);
  #full: () => boolean = () => false;
  #waiting = false;
  #written: (() => void) | undefined;

  constructor(transport: Transport, owner: TransportStreamOwner) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#transport = transport;
    this.#owner = owner;
  }

  /** Reads no further while `full` holds: what stands on the stream may take all it is given, and keep it. */
  readWhileNot(full: () => boolean): void {
    this.#full = full;
  }

  /** Looks again whether it may read. */
  resumeReading(): void {
    if (this.#waiting && !this.#full()) this._read();
  }

  /** Waits until the transport has taken all that was written, or has failed to. One at a time may wait. */
  written(): Promise<void> {
    if (this.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => this.#written = resolve);
  }

  /**
   * Does nothing. What stands on the stream destroys it as soon as both of its ways are over, even though its last bytes
   * have not left; the owner disposes of it when that is done with.
   */
  override destroy(): this {
    return this;
  }

  /** Lets go of what stands on the stream. */
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
    // A copy: the buffer is read into again, and an idle stream should hold no more than the small one.
    let bytes = Buffer.from(this.#buffer.filled(count));
    if (this.#start !== undefined) {
      if (this.#start.length > 0) bytes = Buffer.concat([this.#start, bytes]);
      const verdict = this.#owner.first?.(bytes) ?? "take";
      this.#start = verdict === "wait" ? bytes : undefined;
      if (verdict === "wait") this._read();
      if (verdict !== "take") return;
    }
    this.push(bytes);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#transport.write(rest));
  }
}
