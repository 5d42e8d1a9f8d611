/** A connected socket. @module */
import { badResource, interrupted, twice } from "../internal/os_errors.ts";
import type { Address, Receiver, Transport, WriteReceiver } from "../socket/network.ts";
import { SO_LINGER, SOL_SOCKET } from "./abi.ts";
import { EPOLLIN, EPOLLOUT, EPOLLPRI } from "./epoll_events.ts";
import { checked, type EventLoop } from "./event_loop.ts";
import { ENDED, Handle, INPUT_EVENTS } from "./handle.ts";
import { errnoOf } from "./errno.ts";
import type { BatchedSender } from "./send_batch.ts";
import { errnoError } from "./system_error.ts";

/** Events after which a short read does not mean that nothing is left: at urgent data, a read stops. */
const READ_ON = ENDED | EPOLLPRI;

const AGAIN = -errnoOf("EAGAIN");
const INTERRUPTED = -errnoOf("EINTR");
const NOT_CONNECTED = -errnoOf("ENOTCONN");

/** `struct linger` that is on with no time: closing resets. */
const LINGER_ZERO = new Uint8Array(new Int32Array([1, 0]).buffer);

const FIN_SENT = 1;
const FIN_RECEIVED = 2;

/** An operation that waits for its socket. */
interface Pending<Result> {
  readonly bytes: Uint8Array;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** A {@linkcode Transport} on a descriptor of its own. */
export class NativeTransport extends Handle implements Transport, BatchedSender {
  // Read by each event, so they are next to the fields of `Handle`.
  #receiver: Receiver | undefined;
  #reading: Pending<number | null> | undefined;
  #writing: Pending<number> | undefined;
  /** Waits for the send of this turn, whose number in the batch is `#batched`. */
  #sending: WriteReceiver | undefined;
  #batched = 0;
  /** The FINs that were exchanged: `FIN_SENT`, `FIN_RECEIVED`, both, or 0. */
  #fins = 0;
  readonly local: Address;
  readonly remote: Address;

  /** @param from A descriptor, or the handle that has connected it. */
  constructor(loop: EventLoop, from: number | Handle, local: Address, remote: Address) {
    super(loop, from, INPUT_EVENTS);
    this.local = local;
    this.remote = remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.closed) return this.#finished ? Promise.resolve(null) : Promise.reject(badResource());
    if (this.#readPending) return Promise.reject(twice("read"));
    if (into.length === 0) return Promise.resolve(0);
    this.awaitInput();
    this.loop.begin();
    return new Promise((resolve, reject) => this.#reading = { bytes: into, resolve, reject });
  }

  receive(receiver: Receiver): void {
    if (this.#readPending) throw twice("read");
    if (!this.closed) this.awaitInput();
    else if (this.#finished) queueMicrotask(() => this.#takeReceiver()?.receivedEnd());
    else throw badResource();
    this.loop.begin();
    this.#receiver = receiver;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.closed) return Promise.reject(this.#closedError());
    if (this.#writePending) return Promise.reject(twice("write"));
    const count = this.loop.libc.send(this.descriptor, bytes, bytes.length);
    if (count >= 0) return Promise.resolve(count);
    if (!wouldBlock(count)) return Promise.reject(errnoError(-count));
    this.awaitOutput();
    this.loop.begin();
    return new Promise((resolve, reject) => this.#writing = { bytes, resolve, reject });
  }

  writeNow(bytes: Uint8Array, length: number, finFollows = false): number {
    if (this.closed) throw this.#closedError();
    if (this.#writePending) throw twice("write");
    const count = this.loop.libc.send(this.descriptor, bytes, length, finFollows);
    if (count >= 0) return count;
    if (wouldBlock(count)) return 0;
    throw errnoError(-count);
  }

  writeSoon(bytes: Uint8Array, length: number, receiver: WriteReceiver, finFollows = false): boolean {
    if (this.closed) throw this.#closedError();
    if (this.#writePending) throw twice("write");
    if (!this.loop.busy) return false;
    this.#batched = this.loop.sends.add(this.descriptor, bytes, length, finFollows, this);
    if (this.#batched < 0) return false;
    this.#sending = receiver;
    return true;
  }

  handleSent(result: number, rest: Uint8Array): void {
    const receiver = this.#sending!;
    this.#sending = undefined;
    if (result >= 0 || wouldBlock(result)) receiver.written(Math.max(result, 0), rest);
    else receiver.writeFailed(errnoError(-result));
  }

  closeWrite(): Promise<void> {
    try {
      this.closeWriteNow();
    } catch (error) {
      return Promise.reject(error);
    }
    return Promise.resolve();
  }

  closeWriteNow(): void {
    if (this.closed) {
      if (this.#finished) return;
      throw badResource();
    }
    this.#fins |= FIN_SENT;
    // Closing sends the FIN, too, and nothing else is left to do.
    if ((this.#fins & FIN_RECEIVED) !== 0 && !this.#writePending) return this.#release();
    const result = this.loop.libc.shutdownWrite(this.descriptor);
    // After a reset, nothing is left to shut down; the next read reports the reset.
    if (result < 0 && result !== NOT_CONNECTED) throw errnoError(-result);
  }

  close(): void {
    // Closing alone would reset the connection if there is unread input, and the peer might lose what was sent before.
    if (!this.closed && this.#fins === 0) this.loop.libc.shutdownWrite(this.descriptor);
    this.#release();
    this.#fins = 0;
  }

  reset(): void {
    if (!this.closed) {
      checked(this.loop.libc.setStructOption(this.descriptor, SOL_SOCKET, SO_LINGER, LINGER_ZERO));
    }
    this.#release();
    this.#fins = 0;
  }

  /** Whether the descriptor is closed because both sides have finished, and not because the owner closed this. */
  get #finished(): boolean {
    return this.#fins === (FIN_SENT | FIN_RECEIVED);
  }

  #closedError(): Error {
    return this.#finished ? errnoError(errnoOf("EPIPE")) : badResource();
  }

  #release(): void {
    this.closeDescriptor();
    this.#takeReceiver();
    this.#takeReading()?.reject(interrupted());
    this.#takeWriting()?.reject(interrupted());
    if (this.#sending !== undefined) {
      this.#sending = undefined;
      this.loop.sends.cancel(this.#batched);
    }
  }

  override handleEvents(bits: number): void {
    // Nearly every event of a busy server.
    if ((bits & ~EPOLLOUT) === EPOLLIN && this.#receiver !== undefined && this.#writing === undefined) {
      this.#receive(EPOLLIN);
    } else super.handleEvents(bits);
  }

  protected wanted(): number {
    return (this.#readPending ? EPOLLIN : 0) | (this.#writing === undefined ? 0 : EPOLLOUT);
  }

  protected readable(bits: number): void {
    if (this.#receiver !== undefined) return this.#receive(bits);
    const { bytes } = this.#reading!;
    const count = this.loop.libc.receive(this.descriptor, bytes);
    if (wouldBlock(count)) return this.#nothingRead(count, bits);
    if (count === bytes.length || count <= 0 || (bits & READ_ON) !== 0) this.inputLeft();
    if (count === 0) this.#fins |= FIN_RECEIVED;
    if (count >= 0) this.#takeReading()!.resolve(count === 0 ? null : count);
    else this.#takeReading()!.reject(errnoError(-count));
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

  get #writePending(): boolean {
    return this.#writing !== undefined || this.#sending !== undefined;
  }

  /** Reads for the receiver, which may begin the next read or close the socket during the call. */
  #receive(bits: number): void {
    const { loop } = this;
    const count = loop.libc.receive(this.descriptor, loop.buffer);
    if (wouldBlock(count)) return this.#nothingRead(count, bits);
    const receiver = this.#takeReceiver()!;
    if (count > 0) {
      // What did not fit comes after the events of the others; what will, and the FIN, is reported when it is here.
      if (count === loop.buffer.length) this.inputLeft();
      try {
        receiver.received(loop.filled(count));
      } finally { // Also if the receiver throws: a later one must get the FIN.
        if ((bits & READ_ON) !== 0 && count < loop.buffer.length) this.#receiveRest(bits);
      }
      return;
    }
    this.inputLeft(); // The next read gets the same.
    if (count === 0) {
      this.#fins |= FIN_RECEIVED;
      receiver.receivedEnd();
    } else receiver.receiveFailed(errnoError(-count));
  }

  /** Reads the FIN or the error that is here already, or what follows urgent data: no event reports that again. */
  #receiveRest(bits: number): void {
    if (this.#receiver !== undefined) return this.#receive(bits & ~EPOLLPRI);
    this.inputLeft();
    if (this.#reading !== undefined) this.awaitInput(); // Begun by the receiver, before this was known.
  }

  /** Does nothing if the event of the next arrival will come. After a FIN or an error, none will. */
  #nothingRead(result: number, bits: number): void {
    if (result !== INTERRUPTED && (bits & ENDED) === 0) return;
    this.inputLeft();
    this.awaitInput();
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
