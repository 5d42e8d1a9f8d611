/** The way of bytes into a socket. @module */
import type { Transport, WriteReceiver } from "../network.ts";

/** The owner of an {@linkcode Output}. */
export interface OutputOwner {
  /** The socket has accepted bytes. */
  accepted(count: number): void;
  /** The write that was pending is done. Some of its bytes may be left. */
  writeOn(): void;
  /** A write has failed. */
  writeFailed(cause: unknown): void;
}

interface WriteCallbacks {
  written(count: number): void;
  failed(cause: unknown): void;
}

const NOTHING = new Uint8Array(0);

/** Writes bytes to a transport, one write at a time, and keeps those that the socket has not accepted. */
export class Output implements WriteReceiver {
  readonly #transport: Transport;
  readonly #owner: OutputOwner;
  #left: Uint8Array = NOTHING;
  #pending = false;
  /** Created once, for a connection that has to wait for a write. */
  #callbacks: WriteCallbacks | undefined;

  constructor(transport: Transport, owner: OutputOwner) {
    this.#transport = transport;
    this.#owner = owner;
  }

  /** Number of bytes that were kept, and that the socket has not accepted. */
  get left(): number {
    return this.#left.length;
  }

  /** Whether a write is pending. */
  get pending(): boolean {
    return this.#pending;
  }

  /** Whether it can write within a call. */
  get immediate(): boolean {
    return this.#transport.writeNow !== undefined;
  }

  /** Keeps bytes, to write them with {@linkcode Output.writeLeft} or {@linkcode Output.wait}. */
  keep(bytes: Uint8Array): void {
    this.#left = bytes;
  }

  /**
   * Writes within this call, and returns how many bytes the socket has taken. That is 0 if the transport cannot do that, and
   * if it fails: then the owner hears of it first.
   */
  writeNow(bytes: Uint8Array, length: number, finFollows: boolean): number {
    const transport = this.#transport;
    if (transport.writeNow === undefined) return 0;
    try {
      return transport.writeNow(bytes, length, finFollows);
    } catch (cause) {
      this.writeFailed(cause);
      return 0;
    }
  }

  /** Has the transport write at the end of its turn, and returns whether it will: until then, a write is pending. */
  writeSoon(bytes: Uint8Array, length: number, finFollows: boolean): boolean {
    const transport = this.#transport;
    if (transport.writeSoon === undefined) return false;
    try {
      return this.#pending = transport.writeSoon(bytes, length, this, finFollows);
    } catch {
      return false; // `writeNow`, which comes next, throws the same.
    }
  }

  /** Writes what is left within this call. Returns `false` if the socket takes nothing, or fails. */
  writeLeft(finFollows: boolean): boolean {
    const count = this.writeNow(this.#left, this.#left.length, finFollows);
    if (count > 0) this.#accepted(count);
    return count > 0;
  }

  /**
   * Waits until the socket takes what is left.
   *
   * @param lent Whether its memory is overwritten after the call.
   */
  wait(lent: boolean): void {
    this.#pending = true;
    if (lent) this.#left = this.#left.slice();
    const { written, failed } = this.#callbacks ??= this.#makeCallbacks();
    this.#transport.write(this.#left).then(written, failed);
  }

  /** Called by the transport when it has written what it was given for the end of its turn. */
  written(count: number, rest: Uint8Array): void {
    this.#pending = false;
    this.#left = rest.length === 0 ? NOTHING : rest.slice();
    this.#owner.accepted(count);
    this.#owner.writeOn();
  }

  /** Called by the transport if that fails. */
  writeFailed(cause: unknown): void {
    this.#pending = false;
    this.#owner.writeFailed(cause);
  }

  #makeCallbacks(): WriteCallbacks {
    return {
      written: (count) => {
        this.#pending = false;
        this.#accepted(count);
        this.#owner.writeOn();
      },
      failed: (cause) => this.writeFailed(cause),
    };
  }

  #accepted(count: number): void {
    this.#left = count === this.#left.length ? NOTHING : this.#left.subarray(count);
    this.#owner.accepted(count);
  }
}
