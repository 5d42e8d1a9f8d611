/** The writing half of a connection: encodes frames, in order and up to a limit, one write at a time. @module */
import { assertTaken, brokenEncoder } from "../codecs/broken_encoder.ts";
import type { Codec, Encoder } from "../codecs/codec.ts";
import type { Line, LineSender } from "../codecs/line.ts";
import type { LineRun } from "../codecs/line_run.ts";
import { type CloseReason, ConnectionClosedError, type HalfOwner } from "../errors.ts";
import type { Transport } from "../network.ts";
import { Fin } from "./fin.ts";
import { FlushWaiters } from "./flush_waiters.ts";
import { Output, type OutputOwner } from "./output.ts";
import type { Flushable, WriteBatcher } from "./write_batcher.ts";

/** Pending bytes of many connections. */
export interface QueuedBytes {
  /** The sum. */
  queuedBytes: number;
}

/** Settings that the writers of a listener share. */
export interface WriterSettings<Frame> {
  readonly codec: Pick<Codec<Frame>, "encoder">;
  readonly batcher: WriteBatcher;
  /** Returns the time in ms for {@linkcode Writer.lastWrite}. */
  readonly now: () => number;
  /** Pending bytes above which the peer is a slow reader. */
  readonly writeBuffer: number;
  /** Pending bytes above which `send` returns `false`. */
  readonly highWater: number;
  /** The sum that includes the pending bytes of this writer. */
  readonly total: QueuedBytes;
}

/** Memory for writes that end in the same call. */
const SCRATCH = new Uint8Array(64 * 1024);

/** Collects the frames of one turn of the event loop, and writes them when the turn ends. */
export class Writer<Frame> implements Flushable, LineSender, OutputOwner {
  // As in `Reader`, the fields that each frame touches come first.
  readonly #encoder: Encoder<Frame>;
  readonly #output: Output;
  readonly #settings: WriterSettings<Frame>;
  #scheduled = false;
  #ended = false;
  #stopped: CloseReason | undefined;
  #queued = 0;
  #bytes = 0;
  #frames = 0;
  #lastWrite = 0;
  // Created on demand: few connections wait, and each ends once.
  #waiters: FlushWaiters | undefined;
  #fin: Fin | undefined;
  readonly #transport: Transport;
  readonly #owner: HalfOwner;

  constructor(transport: Transport, settings: WriterSettings<Frame>, owner: HalfOwner) {
    this.#encoder = settings.codec.encoder();
    this.#output = new Output(transport, this);
    this.#settings = settings;
    this.#transport = transport;
    this.#owner = owner;
  }

  /** Bytes that the socket has not accepted. */
  get queued(): number {
    return this.#queued;
  }

  /** Whether a write is pending. */
  get writing(): boolean {
    return this.#output.pending;
  }

  /** Whether `send` takes no more frames, because this side is closed. */
  get ended(): boolean {
    return this.#ended || this.#stopped !== undefined;
  }

  /** Whether everything was sent, and the FIN. */
  get finSent(): boolean {
    return this.#fin?.sent ?? false;
  }

  /** The time in ms at which the socket last accepted bytes, or the pending write began. */
  get lastWrite(): number {
    return this.#lastWrite;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get frames(): number {
    return this.#frames;
  }

  send(frame: Frame): boolean {
    if (this.ended) return false;
    const before = this.#encoder.size;
    this.#encoder.push(frame);
    return this.#pushed(before);
  }

  /**
   * Does the same as `send` for a line that is bytes.
   *
   * @throws {TypeError} If the codec is not one of lines.
   */
  sendLine(line: Line): boolean {
    if (this.ended) return false;
    const encoder = this.#encoder;
    if (encoder.pushLine === undefined) throw new TypeError("Cannot send a line: expected a codec of lines");
    const before = encoder.size;
    encoder.pushLine(line);
    return this.#pushed(before);
  }

  /**
   * Sends lines within this call if nothing is pending, and queues what the socket does not take.
   *
   * @throws {TypeError} If the codec is not one of lines.
   */
  sendLines({ bytes, start, end, count }: LineRun): boolean {
    if (this.ended) return false;
    const encoder = this.#encoder;
    if (encoder.pushLines === undefined) throw new TypeError("Cannot send lines: expected a codec of lines");
    let rest = start;
    if (this.#queued === 0) {
      const run = start === 0 ? bytes : bytes.subarray(start);
      if (this.#output.writeSoon(run, end - start, this.#ended)) {
        this.#count(end - start);
        this.#frames += count;
        return true;
      }
      const sent = this.#output.writeNow(run, end - start, this.#ended);
      if (this.#stopped !== undefined) return false;
      this.#bytes += sent;
      rest += sent;
    }
    if (rest === end) {
      this.#frames += count;
      return true;
    }
    const before = encoder.size;
    encoder.pushLines(bytes, rest, end);
    return this.#pushed(before, count);
  }

  /** Counts frames that were added to `before` pending bytes, and has them written at the end of this turn. */
  #pushed(before: number, count = 1): boolean {
    this.#frames += count;
    const { size } = this.#encoder;
    if (!(size >= 0)) return this.#encoderFailed(brokenEncoder("a number from 0", `size ${size}`));
    this.#count(size - before);
    // Without a pending write, the peer has accepted everything so far: a burst in this turn is not its fault.
    const { writeBuffer, highWater, batcher } = this.#settings;
    if (this.#queued > writeBuffer && this.#output.left > 0) {
      this.#owner.fail({ type: "slow-reader", queuedBytes: this.#queued, limit: writeBuffer });
      return false;
    }
    if (!this.#scheduled && !this.#output.pending) {
      this.#scheduled = true;
      batcher.add(this);
    }
    return this.#queued <= highWater;
  }

  /**
   * Sends a piece within this call, as far as the socket takes it. The codec must send frames as they are.
   *
   * @param lent Whether the memory is overwritten after the call, so that what the socket does not take must be copied.
   * @returns Whether it has taken everything.
   */
  sendNow(this: Writer<Uint8Array>, piece: Uint8Array, lent: boolean): boolean {
    if (this.ended) return false;
    this.#frames++;
    if (this.#queued === 0 && this.#output.immediate) return this.#sendPiece(piece, lent);
    this.#encoder.push(this.#output.pending && lent ? piece.slice() : piece);
    this.#count(piece.length);
    if (!this.#output.pending) this.#flush(lent);
    return this.#queued === 0;
  }

  /** Sends a piece while nothing is pending, past the encoder. */
  #sendPiece(piece: Uint8Array, lent: boolean): boolean {
    this.#lastWrite = this.#settings.now();
    const output = this.#output;
    if (output.writeSoon(piece, piece.length, this.#ended)) {
      this.#count(piece.length);
      return true;
    }
    const count = output.writeNow(piece, piece.length, this.#ended);
    if (this.#stopped !== undefined) return false;
    this.#bytes += count;
    if (count === piece.length) return true;
    output.keep(piece.subarray(count));
    this.#count(piece.length - count);
    this.#waitToWrite(lent);
    return false;
  }

  flushed(): Promise<void> {
    if (this.#queued === 0) return Promise.resolve();
    if (this.#stopped !== undefined) return Promise.reject(this.#closedError(this.#stopped));
    return (this.#waiters ??= new FlushWaiters()).wait();
  }

  closeWrite(): Promise<void> {
    this.end();
    return this.#queued === 0 ? Promise.resolve(this.#fin?.done) : this.flushed().then(() => this.#fin?.done);
  }

  /** Takes no more frames, and sends the queued ones, then FIN. The owner is notified when it is sent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#queued === 0) this.#sendFin();
  }

  #sendFin(): void {
    if (this.#stopped === undefined) (this.#fin ??= new Fin()).send(this.#transport, this.#owner);
  }

  /** Stops writing, because the socket is closed. The pending bytes are dropped, but `queued` still counts them. */
  stop(reason: CloseReason): void {
    this.#stopped = reason;
    this.#settings.total.queuedBytes -= this.#queued;
    this.#waiters?.reject(this.#closedError(reason));
  }

  /** Called by the batcher: writes the frames of this turn. */
  flushTurn(): void {
    this.#scheduled = false;
    if (this.#stopped === undefined && !this.#output.pending) this.#flush(false);
  }

  #flush(lent: boolean): void {
    this.#lastWrite = this.#settings.now();
    if (this.#output.left === 0) this.#writeShared();
    if (this.#stopped === undefined && !this.#output.pending) this.#writeMore(lent);
  }

  /** Writes from memory that all writers share, if the transport and the encoder can. Keeps what the socket does not take. */
  #writeShared(): void {
    const encoder = this.#encoder;
    const output = this.#output;
    if (!output.immediate || encoder.takeInto === undefined) return;
    let length: number | undefined;
    try {
      length = encoder.takeInto(SCRATCH);
      if (length === undefined) return;
      assertTaken(length, encoder, SCRATCH.length);
    } catch (cause) {
      this.#encoderFailed(cause);
      return;
    }
    this.#count(length - this.#queued);
    // After the FIN, a write of nothing would fail.
    if (length === 0 || output.writeSoon(SCRATCH, length, this.#ended)) return;
    const count = output.writeNow(SCRATCH, length, this.#ended);
    if (this.#stopped !== undefined) return;
    this.accepted(count);
    if (count < length) output.keep(SCRATCH.slice(count, length));
  }

  /** Writes until nothing is pending, or the socket accepts no more. */
  #writeMore(lent: boolean): void {
    while (this.#takeNext()) {
      if (this.#output.writeLeft(this.#ended)) continue;
      if (this.#stopped === undefined) this.#waitToWrite(lent);
      return;
    }
    this.#settle();
  }

  #waitToWrite(lent: boolean): void {
    this.#lastWrite = this.#settings.now();
    this.#output.wait(lent);
  }

  /** Takes the bytes of the encoder after the last write. Returns `false` if there are none. */
  #takeNext(): boolean {
    if (this.#output.left > 0) return true;
    if (this.#encoder.size === 0) return false;
    let taken: Uint8Array;
    try {
      taken = this.#encoder.take();
      assertTaken(taken.length, this.#encoder);
    } catch (cause) {
      return this.#encoderFailed(cause);
    }
    // Nothing else was pending. The encoder may have counted its bytes differently.
    this.#count(taken.length - this.#queued);
    this.#output.keep(taken);
    return taken.length > 0;
  }

  /** Called by the output. */
  accepted(count: number): void {
    if (this.#stopped !== undefined) return;
    this.#bytes += count;
    this.#count(-count);
  }

  /** Called by the output. */
  writeOn(): void {
    if (this.#stopped !== undefined) return;
    this.#lastWrite = this.#settings.now();
    this.#writeMore(false);
  }

  /** Called by the output. */
  writeFailed(cause: unknown): void {
    if (this.#stopped === undefined) this.#owner.fail({ type: "write-failed", cause });
  }

  /** Ends the connection, because nothing more can be encoded. The connections that flush after it are unaffected. */
  #encoderFailed(cause: unknown): false {
    if (this.#stopped === undefined) this.#owner.fail({ type: "handler-failed", cause });
    return false;
  }

  #settle(): void {
    this.#waiters?.resolve();
    if (this.#ended) this.#sendFin();
  }

  #count(bytes: number): void {
    this.#queued += bytes;
    this.#settings.total.queuedBytes += bytes;
  }

  #closedError(reason: CloseReason): ConnectionClosedError {
    return new ConnectionClosedError(reason, this.#queued);
  }
}
