/** The reading half of a connection: decodes bytes to frames on demand. @module */
import type { Codec, Decoder } from "../codecs/codec.ts";
import type { LineSink } from "../codecs/line.ts";
import type { FramingError, HalfOwner } from "../errors.ts";
import type { Receiver, Transport } from "../network.ts";
import { PromisedReads } from "./promised_reads.ts";
import type { FairScheduler, Resumable } from "./fairness.ts";
import { FrameCallback, type FrameConsumer, FrameIterator, type FrameSink } from "./frame_iterator.ts";
import { MAX_BATCH, TurnShare } from "./turn_share.ts";

/** Settings that the readers of a listener share. */
export interface ReaderSettings<Frame> {
  readonly codec: Pick<Codec<Frame>, "copies" | "decoder">;
  /** Returns the time in ms for {@linkcode Reader.readSince}. */
  readonly now: () => number;
  /** Pauses readers that have had their share. */
  readonly fairness: FairScheduler;
}

// A read of fewer bytes had to wait, so the other connections had their turn.
const BACKLOG_BYTES = 4096;
const NO_FRAMES: readonly never[] = [];

/**
 * Reads while a consumer waits for frames, and delivers each frame once.
 *
 * A read begins when a consumer, or `discard`, needs more than was read, unless one of these flags prevents it:
 *
 * | flag         | set                                       | cleared                                   |
 * | ------------ | ----------------------------------------- | ----------------------------------------- |
 * | `#reading`   | when a read begins                        | by its result                             |
 * | `#serving`   | before frames are delivered               | after that                                |
 * | `#held`      | when the sink takes no more               | by `feedOn`; when the sink has ended      |
 * | `#paused`    | when this reader has had its share        | by the scheduler, or by `stop`            |
 * | `#framing`   | by a framing error of the decoder         | never; only `discard` reads from then on  |
 * | `#peerEnded` | by the peer's FIN                         | never                                     |
 * | `#stopped`   | by `stop`, when the socket is closed      | never                                     |
 *
 * Only the public methods are async: a read makes no promise and no closure besides those of the socket. With thousands
 * of idle connections, each of them would survive several young-generation garbage collections.
 */
export class Reader<Frame> implements Resumable, Receiver {
  // The fields that the usual read touches come first. With thousands of busy connections, each of them is out of the
  // processor's cache, and each cache line costs as much as the work on it.
  readonly #decoder: Decoder<Frame>;
  readonly #transport: Transport;
  readonly #settings: ReaderSettings<Frame>;
  #receives: boolean;
  #reading = false;
  #stopped = false;
  /** Whether the consumer handles frames now. It can stop this reader there, and throw afterward. */
  #serving = false;
  /** Whether the input is dropped from now on. */
  #discarded = false;
  #sink: FrameSink<Frame> | undefined;
  /** Whether the sink takes no more for now. */
  #held = false;
  #bytes = 0;
  #frames = 0;
  #readSince = 0;
  #waiter: FrameConsumer | undefined;
  /** The frames of the last read; those before `#taken` are delivered. */
  #batch: readonly Frame[] = NO_FRAMES;
  #taken = 0;
  #framing: FramingError | undefined;
  #peerEnded = false;
  /** Created for the first batch that may be a part of a read. */
  #share: TurnShare | undefined;
  readonly #owner: HalfOwner;
  /** Created for a transport without `receive`. */
  #reads: PromisedReads | undefined;

  constructor(transport: Transport, settings: ReaderSettings<Frame>, owner: HalfOwner) {
    this.#decoder = settings.codec.decoder();
    this.#transport = transport;
    this.#settings = settings;
    this.#receives = this.#mayShare(false);
    this.#owner = owner;
  }

  /** Whether the peer has sent its FIN. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Whether a read is pending. */
  get reading(): boolean {
    return this.#reading;
  }

  /** The time in ms at which the pending read began. */
  get readSince(): number {
    return this.#readSince;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Iterates over batches: the frames of one read, or the rest of them, up to the limit of one turn. */
  batches(): AsyncIterableIterator<readonly Frame[]> {
    return this.#iterate(() => this.#take());
  }

  /** Iterates over the frames one by one. */
  each(): AsyncIterableIterator<Frame> {
    return this.#iterate(() => this.#takeOne());
  }

  /** Calls `handle` with each batch until no more frames will come. */
  consume(handle: (frames: readonly Frame[]) => void): Promise<void> {
    return new Promise((resolve, reject) => this.feed(new FrameCallback(handle, resolve, reject)));
  }

  /** Passes each batch to a sink until no more frames will come. */
  feed(sink: FrameSink<Frame>): void {
    this.#assertNoConsumer();
    this.#sink = sink;
    this.#receives = this.#mayShare(sink.keepsNothing === true);
    this.#serve();
  }

  /** Goes on after the sink took no more. */
  feedOn(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#serve();
  }

  /** Whether frames refer to memory that all connections share, and that the next read of any of them overwrites. */
  get lends(): boolean {
    return this.#receives && this.#settings.codec.copies !== true;
  }

  /** Discards all input from now on. The owner is notified of the peer's FIN. */
  discard(): void {
    this.#discarded = true;
    this.#readOn();
  }

  /** Stops reading, because the socket is closed. */
  stop(): void {
    this.#stopped = true;
    if (this.#paused) {
      this.#share!.leave();
      // The consumer gets the remaining frames, and then the end. Deferred, because the caller may be in the middle of a change.
      queueMicrotask(() => this.resume());
    }
    this.#readOn();
  }

  #iterate<Item>(take: () => Item): AsyncIterableIterator<Item> {
    return new FrameIterator({ take, wait: (consumer) => this.#ask(consumer) });
  }

  #ask(waiter: FrameConsumer): void {
    this.#assertNoConsumer();
    this.#waiter = waiter;
    this.#receives = this.#mayShare(false);
    this.#serve();
  }

  /** Whether to read into memory that all connections share: not if a frame that refers to it is kept. */
  #mayShare(keepsNothing: boolean): boolean {
    return this.#transport.receive !== undefined && (keepsNothing || this.#settings.codec.copies === true);
  }

  /** @throws {TypeError} If a consumer waits. */
  #assertNoConsumer(): void {
    if (this.#consumed) throw new TypeError("Cannot read a connection twice at once");
  }

  /** Whether a consumer waits for frames. */
  get #consumed(): boolean {
    return this.#sink !== undefined || this.#waiter !== undefined;
  }

  /** Delivers the available frames, then reads on. */
  #serve(): void {
    this.#serving = true;
    while (
      this.#consumed && this.#hasFrames && !this.#held && !this.#discarded && !this.#mustPause()
    ) {
      if (this.#sink !== undefined) this.#pass(this.#sink);
      else if (!this.#waiter!.more()) this.#waiter = undefined;
    }
    this.#serving = false;
    this.#readOn();
  }

  #pass(sink: FrameSink<Frame>): void {
    try {
      if (sink.take(this.#take()) === false) this.#held = true;
    } catch (error) {
      this.#endSink(sink, error);
    }
  }

  /** Whether frames of the last read are not delivered yet. */
  get #hasFrames(): boolean {
    return this.#taken < this.#batch.length;
  }

  /** Takes the rest of the last read, up to the limit of one turn. */
  #take(): readonly Frame[] {
    const share = this.#share ??= new TurnShare(this.#settings.fairness, this);
    const most = this.#stopped ? Infinity : share.left;
    const whole = this.#taken === 0 && this.#batch.length <= most;
    const frames = whole ? this.#batch : this.#batch.slice(this.#taken, this.#taken + most);
    share.deliver(frames.length);
    if (whole) this.#batch = NO_FRAMES; // A connection that waits for its peer should keep nothing of the last read.
    else this.#taken += frames.length;
    return frames;
  }

  #takeOne(): Frame {
    (this.#share ??= new TurnShare(this.#settings.fairness, this)).deliver(1);
    return this.#batch[this.#taken++]!;
  }

  /** Called by the scheduler when the other connections have had their turn. */
  resume(): void {
    this.#share?.resume();
    this.#serve();
  }

  get #paused(): boolean {
    return this.#share !== undefined && this.#share.paused;
  }

  /** Whether this reader pauses; begins a pause after its share. A closed socket needs none: it has no more input. */
  #mustPause(): boolean {
    if (this.#share === undefined) return false;
    return this.#stopped ? this.#share.paused : this.#share.mustPause(this.#receives);
  }

  /** Begins a read if one is needed and none is pending. Ends the consumer if no more frames will come. */
  #readOn(): void {
    if (this.#serving) return;
    if (this.#paused && this.#hasFrames && !this.#discarded) return;
    const over = this.#peerEnded || this.#stopped;
    if (this.#held && !over && !this.#discarded) return;
    if (over || this.#discarded || this.#framing !== undefined) this.#endConsumer();
    if (over) {
      if (this.#discarded) this.#owner.halfEnded();
      return;
    }
    if (this.#reading || (!this.#consumed && !this.#discarded)) return;
    if (this.#mustPause()) return;
    this.#reading = true;
    this.#readSince = this.#settings.now();
    if (this.#receives) this.#transport.receive!(this);
    else (this.#reads ??= new PromisedReads(this.#transport, this)).begin();
  }

  /** Called by the transport. */
  received(bytes: Uint8Array): void {
    this.#reading = false;
    if (this.#stopped) return;
    this.#bytes += bytes.length;
    if (this.#discarded) return this.#readOn();
    const sink = this.#sink;
    // The lines of a large read may be more than the share of one turn. As frames, they can be passed on in parts.
    if (
      sink?.takeLine !== undefined && this.#decoder.pushLines !== undefined &&
      (this.#receives || bytes.length < BACKLOG_BYTES)
    ) return this.#passLines(sink as FrameSink<Frame> & LineSink, bytes);
    let frames: readonly Frame[];
    let error: FramingError | undefined;
    try {
      ({ frames, error } = this.#decoder.push(bytes));
      this.#frames += frames.length;
    } catch (cause) {
      return this.#owner.fail({ type: "handler-failed", cause }); // This calls `stop`.
    }
    if (sink !== undefined && this.#receives && error === undefined && frames.length <= MAX_BATCH) {
      return this.#passAll(sink, frames);
    }
    if (bytes.length < BACKLOG_BYTES) this.#share?.begin();
    this.#framing = error;
    this.#batch = frames;
    this.#taken = 0;
    this.#serve();
  }

  /** Does the same as `#serve` for the usual read, without the fields that only the other reads need. */
  #passAll(sink: FrameSink<Frame>, frames: readonly Frame[]): void {
    this.#serving = true;
    try {
      if (frames.length > 0 && sink.take(frames) === false) this.#held = true;
    } catch (error) {
      this.#endSink(sink, error);
    }
    this.#serving = false;
    this.#receiveOn();
  }

  /** Passes the lines of a read to a sink, as bytes. */
  #passLines(sink: FrameSink<Frame> & LineSink, bytes: Uint8Array): void {
    const decoder = this.#decoder;
    this.#serving = true;
    try {
      const count = decoder.pushLines!(bytes, sink);
      if (count > 0) {
        this.#frames += count;
        if (sink.linesTaken?.() === false) this.#held = true;
      }
    } catch (error) {
      this.#endSink(sink, error);
    }
    this.#serving = false;
    const { error } = decoder;
    if (this.#receives && error === undefined) return this.#receiveOn();
    this.#framing = error;
    this.#share?.begin();
    this.#readOn();
  }

  /** Does the same as `#readOn` after the usual read. */
  #receiveOn(): void {
    if (this.#stopped || this.#sink === undefined || this.#held || this.#discarded) {
      return this.#readOn();
    }
    this.#reading = true;
    this.#readSince = this.#settings.now();
    this.#transport.receive!(this);
  }

  /** Called by the transport. */
  receivedEnd(): void {
    this.#reading = false;
    if (this.#stopped) return;
    this.#peerEnded = true;
    try {
      this.#framing ??= this.#decoder.end();
    } catch (cause) {
      return this.#owner.fail({ type: "handler-failed", cause });
    }
    this.#serve();
  }

  /** Called by the transport. */
  receiveFailed(cause: unknown): void {
    this.#reading = false;
    if (!this.#stopped) this.#owner.fail({ type: "reset", cause }); // This calls `stop`.
  }

  #endConsumer(): void {
    const error = this.#discarded ? undefined : this.#framing;
    if (this.#sink !== undefined) this.#endSink(this.#sink, error);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.end(error);
  }

  /** Deferred as the result of a promise is, because the caller may be in the middle of a change. */
  #endSink(sink: FrameSink<Frame>, error: unknown): void {
    this.#sink = undefined;
    this.#held = false;
    queueMicrotask(() => sink.ended(error));
  }
}
