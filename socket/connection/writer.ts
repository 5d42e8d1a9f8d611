/** The writing half of a connection: encodes frames, in order and up to a limit, one write at a time. @module */
import { assertTaken, brokenEncoder } from "../codecs/broken_encoder.ts";
import type { Codec, Encoder } from "../codecs/codec.ts";
import type { Line, LineSender } from "../codecs/line.ts";
import type { LineRun } from "../codecs/line_run.ts";
import { type CloseReason, ConnectionClosedError, type HalfOwner } from "../errors.ts";
import type { Transport, WriteReceiver } from "../network.ts";
import { Fin, type FinOwner } from "./fin.ts";
import { FlushWaiters } from "./flush_waiters.ts";
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

const NOTHING = new Uint8Array(0);
/** Memory for writes that end in the same call. */
const SCRATCH = new Uint8Array(64 * 1024);

interface WriteCallbacks {
  written(count: number): void;
  failed(cause: unknown): void;
}

/** Collects the frames of one turn of the event loop, and writes them when the turn ends. */
export class Writer<Frame> implements Flushable, LineSender, WriteReceiver, FinOwner {
  // As in `Reader`, the fields that each frame touches come first.
  readonly #encoder: Encoder<Frame>;
  readonly #transport: Transport;
  readonly #settings: WriterSettings<Frame>;
  #scheduled = false;
  #writing = false;
  #ended = false;
  #stopped: CloseReason | undefined;
  /** The bytes of the current write that the socket has not accepted. */
  #left: Uint8Array = NOTHING;
  #queued = 0;
  #bytes = 0;
  #frames = 0;
  #lastWrite = 0;
  // Created on demand: few connections wait, and each ends once.
  #waiters: FlushWaiters | undefined;
  #fin: Fin | undefined;
  #callbacks: WriteCallbacks | undefined;
  readonly #owner: HalfOwner;

  constructor(transport: Transport, settings: WriterSettings<Frame>, owner: HalfOwner) {
    this.#encoder = settings.codec.encoder();
    this.#transport = transport;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Bytes that the socket has not accepted. */
  get queued(): number {
    return this.#queued;
  }

  /** Whether a write is pending. */
  get writing(): boolean {
    return this.#writing;
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
      if (this.#writeSoon(run, end - start)) {
        this.#count(end - start);
        this.#frames += count;
        return true;
      }
      const sent = this.#writeNow(run, end - start);
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
    if (this.#queued > writeBuffer && this.#left.length > 0) {
      this.#owner.fail({ type: "slow-reader", queuedBytes: this.#queued, limit: writeBuffer });
      return false;
    }
    if (!this.#scheduled && !this.#writing) {
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
    if (this.#queued === 0 && this.#transport.writeNow !== undefined) return this.#sendPiece(piece, lent);
    this.#encoder.push(this.#writing && lent ? piece.slice() : piece);
    this.#count(piece.length);
    if (!this.#writing) this.#flush(lent);
    return this.#queued === 0;
  }

  /** Sends a piece while nothing is pending, past the encoder. */
  #sendPiece(piece: Uint8Array, lent: boolean): boolean {
    this.#lastWrite = this.#settings.now();
    if (this.#writeSoon(piece, piece.length)) {
      this.#count(piece.length);
      return true;
    }
    const count = this.#writeNow(piece, piece.length);
    if (this.#stopped !== undefined) return false;
    this.#bytes += count;
    if (count === piece.length) return true;
    this.#left = piece.subarray(count);
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
    if (this.#stopped === undefined) (this.#fin ??= new Fin()).send(this.#transport, this);
  }

  /** Called when the FIN is sent. */
  halfEnded(): void {
    this.#owner.halfEnded();
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
    if (this.#stopped === undefined && !this.#writing) this.#flush(false);
  }

  #flush(lent: boolean): void {
    this.#lastWrite = this.#settings.now();
    if (this.#left.length === 0) this.#writeShared();
    if (this.#stopped === undefined && !this.#writing) this.#writeMore(lent);
  }

  /** Writes from memory that all writers share, if the transport and the encoder can. Keeps what the socket does not take. */
  #writeShared(): void {
    const encoder = this.#encoder;
    const transport = this.#transport;
    if (transport.writeNow === undefined || encoder.takeInto === undefined) return;
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
    if (length === 0 || this.#writeSoon(SCRATCH, length)) return;
    let count: number;
    try {
      count = transport.writeNow(SCRATCH, length, this.#ended);
    } catch (cause) {
      return this.writeFailed(cause);
    }
    this.#bytes += count;
    this.#count(-count);
    if (count < length) this.#left = SCRATCH.slice(count, length);
  }

  /** Writes until nothing is pending, or the socket accepts no more. */
  #writeMore(lent: boolean): void {
    while (this.#takeNext()) {
      const count = this.#writeNow(this.#left, this.#left.length);
      if (this.#stopped !== undefined) return;
      if (count > 0) {
        this.#written(count);
        continue;
      }
      return this.#waitToWrite(lent);
    }
    this.#writing = false;
    this.#settle();
  }

  #waitToWrite(lent: boolean): void {
    this.#writing = true;
    this.#lastWrite = this.#settings.now();
    if (lent) this.#left = this.#left.slice();
    const { written, failed } = this.#callbacks ??= this.#makeCallbacks();
    this.#transport.write(this.#left).then(written, failed);
  }

  /** Takes the bytes of the encoder after the last write. Returns `false` if there are none. */
  #takeNext(): boolean {
    if (this.#left.length > 0) return true;
    if (this.#encoder.size === 0) return false;
    try {
      const taken = this.#encoder.take();
      assertTaken(taken.length, this.#encoder);
      this.#left = taken;
    } catch (cause) {
      return this.#encoderFailed(cause);
    }
    // Nothing else was pending. The encoder may have counted its bytes differently.
    this.#count(this.#left.length - this.#queued);
    return this.#left.length > 0;
  }

  /** Writes without a promise. Returns 0 if the transport cannot do that, or the socket accepts nothing now. */
  #writeNow(bytes: Uint8Array, length: number): number {
    const transport = this.#transport;
    if (transport.writeNow === undefined) return 0;
    try {
      return transport.writeNow(bytes, length, this.#ended);
    } catch (cause) {
      this.writeFailed(cause);
      return 0;
    }
  }

  /** Has the transport write at the end of its turn, if it can: until then, a write is pending. */
  #writeSoon(bytes: Uint8Array, length: number): boolean {
    const transport = this.#transport;
    if (transport.writeSoon === undefined) return false;
    try {
      return this.#writing = transport.writeSoon(bytes, length, this, this.#ended);
    } catch {
      return false; // `writeNow`, which comes next, throws the same.
    }
  }

  /** Called by the transport when it has written what it was given for the end of its turn. */
  written(count: number, rest: Uint8Array): void {
    if (this.#stopped !== undefined) return;
    this.#bytes += count;
    this.#count(-count);
    this.#left = rest.length === 0 ? NOTHING : rest.slice();
    this.#writeMore(false);
  }

  /** Created once, for a connection that has to wait for a write. */
  #makeCallbacks(): WriteCallbacks {
    return {
      written: (count) => {
        if (this.#stopped !== undefined) return;
        this.#written(count);
        this.#lastWrite = this.#settings.now();
        this.#writeMore(false);
      },
      failed: (cause) => this.writeFailed(cause),
    };
  }

  #written(count: number): void {
    this.#bytes += count;
    this.#count(-count);
    this.#left = count === this.#left.length ? NOTHING : this.#left.subarray(count);
  }

  /** Called when a write or the FIN has failed. */
  writeFailed(cause: unknown): void {
    this.#writing = false;
    if (this.#stopped === undefined) this.#owner.fail({ type: "write-failed", cause });
  }

  /** Ends the connection, because nothing more can be encoded. The connections that flush after it are unaffected. */
  #encoderFailed(cause: unknown): false {
    this.#writing = false;
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
