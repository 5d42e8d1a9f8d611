/** A connected socket. @module */
import { badResource, interrupted, twice } from "../internal/os_errors.ts";
import type { Address, Receiver, Transport } from "../socket/network.ts";
import { SO_LINGER, SOL_SOCKET } from "./abi.ts";
import { EPOLLIN, EPOLLOUT } from "./epoll_events.ts";
import { checked, type EventLoop } from "./event_loop.ts";
import { Handle } from "./handle.ts";
import { errnoOf } from "./errno.ts";
import { errnoError } from "./system_error.ts";

const AGAIN = -errnoOf("EAGAIN");
const INTERRUPTED = -errnoOf("EINTR");
const NOT_CONNECTED = -errnoOf("ENOTCONN");

/** `struct linger` that is on with no time: closing resets. */
const LINGER_ZERO = new Uint8Array(new Int32Array([1, 0]).buffer);

/** An operation that waits for its socket. */
interface Pending<Result> {
  readonly bytes: Uint8Array;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** A {@linkcode Transport} on a descriptor of its own. */
export class NativeTransport extends Handle implements Transport {
  // Read by each event, so they are next to the fields of `Handle`.
  #receiver: Receiver | undefined;
  #reading: Pending<number | null> | undefined;
  #writing: Pending<number> | undefined;
  #finSent = false;
  readonly local: Address;
  readonly remote: Address;

  /** @param listed What epoll watches the descriptor for already, if anything. */
  constructor(loop: EventLoop, descriptor: number, local: Address, remote: Address, listed?: number) {
    super(loop, descriptor, EPOLLIN, listed);
    this.local = local;
    this.remote = remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.closed) return Promise.reject(badResource());
    if (this.#readPending) return Promise.reject(twice("read"));
    if (into.length === 0) return Promise.resolve(0);
    // Otherwise the event of what is there comes in the next turn, after the others' events.
    if (!this.watches(EPOLLIN)) {
      const count = this.loop.libc.receive(this.descriptor, into);
      if (count >= 0) return Promise.resolve(count === 0 ? null : count);
      if (!wouldBlock(count)) return Promise.reject(errnoError(-count));
      this.watch(EPOLLIN);
    }
    this.loop.begin();
    return new Promise((resolve, reject) => this.#reading = { bytes: into, resolve, reject });
  }

  receive(receiver: Receiver): void {
    if (this.closed) throw badResource();
    if (this.#readPending) throw twice("read");
    this.watch(EPOLLIN);
    this.loop.begin();
    this.#receiver = receiver;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.closed) return Promise.reject(badResource());
    if (this.#writing !== undefined) return Promise.reject(twice("write"));
    const count = this.loop.libc.send(this.descriptor, bytes, bytes.length);
    if (count >= 0) return Promise.resolve(count);
    if (!wouldBlock(count)) return Promise.reject(errnoError(-count));
    this.watch(EPOLLOUT);
    this.loop.begin();
    return new Promise((resolve, reject) => this.#writing = { bytes, resolve, reject });
  }

  writeNow(bytes: Uint8Array, length: number): number {
    if (this.closed) throw badResource();
    if (this.#writing !== undefined) throw twice("write");
    const count = this.loop.libc.send(this.descriptor, bytes, length);
    if (count >= 0) return count;
    if (wouldBlock(count)) return 0;
    throw errnoError(-count);
  }

  closeWrite(): Promise<void> {
    if (this.closed) return Promise.reject(badResource());
    const result = this.loop.libc.shutdownWrite(this.descriptor);
    this.#finSent = true;
    // After a reset, nothing is left to shut down; the next read reports the reset.
    if (result < 0 && result !== NOT_CONNECTED) return Promise.reject(errnoError(-result));
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) return;
    // Closing alone would reset the connection if there is unread input, and the peer might lose what was sent before.
    if (!this.#finSent) this.loop.libc.shutdownWrite(this.descriptor);
    this.#release();
  }

  reset(): void {
    if (this.closed) return;
    checked(this.loop.libc.setStructOption(this.descriptor, SOL_SOCKET, SO_LINGER, LINGER_ZERO));
    this.#release();
  }

  #release(): void {
    this.closeDescriptor();
    this.#takeReceiver();
    this.#takeReading()?.reject(interrupted());
    this.#takeWriting()?.reject(interrupted());
  }

  override handleEvents(bits: number): void {
    // Nearly every event of a busy server.
    if (bits === EPOLLIN && this.#receiver !== undefined) this.#receive();
    else super.handleEvents(bits);
  }

  protected wanted(): number {
    return (this.#readPending ? EPOLLIN : 0) | (this.#writing === undefined ? 0 : EPOLLOUT);
  }

  protected readable(): void {
    if (this.#receiver !== undefined) return this.#receive();
    const count = this.loop.libc.receive(this.descriptor, this.#reading!.bytes);
    if (count >= 0) this.#takeReading()!.resolve(count === 0 ? null : count);
    else if (!wouldBlock(count)) this.#takeReading()!.reject(errnoError(-count));
  }

  protected writable(): void {
    const { bytes } = this.#writing!;
    const count = this.loop.libc.send(this.descriptor, bytes, bytes.length);
    if (count >= 0) this.#takeWriting()!.resolve(count);
    else if (!wouldBlock(count)) this.#takeWriting()!.reject(errnoError(-count));
  }

  get #readPending(): boolean {
    return this.#reading !== undefined || this.#receiver !== undefined;
  }

  /** Reads for the receiver, which may begin the next read or close the socket during the call. */
  #receive(): void {
    const { loop } = this;
    const count = loop.libc.receive(this.descriptor, loop.buffer);
    if (wouldBlock(count)) return;
    const receiver = this.#takeReceiver()!;
    if (count > 0) receiver.received(loop.filled(count));
    else if (count === 0) receiver.receivedEnd();
    else receiver.receiveFailed(errnoError(-count));
  }

  #takeReceiver(): Receiver | undefined {
    const receiver = this.#receiver;
    if (receiver === undefined) return undefined;
    this.#receiver = undefined;
    this.loop.end();
    return receiver;
  }

  #takeReading(): Pending<number | null> | undefined {
    const reading = this.#reading;
    if (reading === undefined) return undefined;
    this.#reading = undefined;
    this.loop.end();
    return reading;
  }

  #takeWriting(): Pending<number> | undefined {
    const writing = this.#writing;
    if (writing === undefined) return undefined;
    this.#writing = undefined;
    this.loop.end();
    return writing;
  }
}

/** Whether a result means that the socket is not ready: its event will come. */
function wouldBlock(result: number): boolean {
  return result === AGAIN || result === INTERRUPTED;
}
