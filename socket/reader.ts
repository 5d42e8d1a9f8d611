/** The reading half of a connection: decodes bytes to frames on demand. @module */
import type { Decoder } from "./codecs/codec.ts";
import type { FramingError } from "./errors.ts";
import type { SocketFailure } from "./failure.ts";
import type { Receiver, Transport } from "./network.ts";
import { PromisedReads } from "./promised_reads.ts";
import type { FairScheduler, Resumable } from "./fairness.ts";
import { FrameCallback, type FrameConsumer, FrameIterator } from "./frame_iterator.ts";

/** Options for {@linkcode Reader}. */
export interface InboundOptions<Frame> {
  transport: Transport;
  decoder: Decoder<Frame>;
  /** As in `Codec`. Default `false`. */
  copies?: boolean | undefined;
  /** Returns the time in ms for {@linkcode Reader.readSince}. */
  now: () => number;
  /** Pauses readers that have had their share. */
  rest: FairScheduler;
  /** Called once when a read fails. */
  failed: (failure: SocketFailure) => void;
}

// A socket with more input is read again without waiting, and the runtime polls the others only when it is idle, or every
// 61 turns. With thousands of lines per turn, that is seconds. So a reader that is busy for this long, in ms, pauses.
const TURN_MS = 10;
// The clock is read after this many frames. Large frames are few, and reading the clock costs little in comparison.
const FRAMES_A_LOOK = 1024;
// A read of fewer bytes had to wait, so the other connections had their turn.
const BACKLOG_BYTES = 4096;

/**
 * Reads while a consumer waits for frames, and delivers each frame once.
 *
 * Only the public methods are async: a read makes no promise and no closure besides those of the socket. With thousands
 * of idle connections, each of them would survive several young-generation garbage collections.
 */
export class Reader<Frame> implements Resumable, Receiver {
  readonly #transport: Transport;
  readonly #decoder: Decoder<Frame>;
  readonly #now: () => number;
  readonly #rest: FairScheduler;
  readonly #failed: (failure: SocketFailure) => void;
  readonly #receives: boolean;
  /** Created for a transport without `receive`. */
  #reads: PromisedReads | undefined;
  #reading = false;
  /** The frames of the last read; those before `#taken` are delivered. */
  #batch: readonly Frame[] = [];
  #taken = 0;
  #framing: FramingError | undefined;
  #asker: FrameConsumer | undefined;
  /** Whether the consumer handles frames now. It can stop this reader there, and throw afterward. */
  #serving = false;
  /** Frames delivered since the clock was last read. */
  #inRow = 0;
  /** The time in ms since which it has been busy. */
  #busySince: number | undefined;
  #resting = false;
  #discarded: PromiseWithResolvers<void> | undefined;
  #stopped = false;
  #peerEnded = false;
  #bytes = 0;
  #frames = 0;
  #readSince = 0;

  constructor(options: InboundOptions<Frame>) {
    this.#transport = options.transport;
    this.#decoder = options.decoder;
    // Frames that refer to memory shared by all connections would be overwritten by the next read of any of them.
    this.#receives = options.copies === true && options.transport.receive !== undefined;
    this.#now = options.now;
    this.#rest = options.rest;
    this.#failed = options.failed;
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
    return new Promise((resolve, reject) => {
      this.#ask(new FrameCallback(() => handle(this.#take()), resolve, reject));
    });
  }

  /** Discards all input until the peer's FIN or {@linkcode Reader.stop}. Never rejects. */
  discard(): Promise<void> {
    this.#discarded ??= Promise.withResolvers();
    this.#readOn();
    return this.#discarded.promise;
  }

  /** Stops reading, because the socket is closed. */
  stop(): void {
    this.#stopped = true;
    if (this.#resting) {
      this.#rest.remove(this);
      // The consumer gets the remaining frames, and then the end. Deferred, because the caller may be in the middle of a change.
      queueMicrotask(() => this.resume());
    }
    this.#readOn();
  }

  #iterate<Item>(take: () => Item): AsyncIterableIterator<Item> {
    return new FrameIterator({ take, wait: (consumer) => this.#ask(consumer) });
  }

  /** @throws {TypeError} If another consumer waits. */
  #ask(asker: FrameConsumer): void {
    if (this.#asker !== undefined) throw new TypeError("Cannot read a connection twice at once");
    this.#asker = asker;
    this.#serve();
  }

  /** Delivers the available frames, then reads on. */
  #serve(): void {
    this.#serving = true;
    while (
      this.#asker !== undefined && this.#hasFrames && this.#discarded === undefined && !this.#rests()
    ) {
      const asker = this.#asker;
      if (!asker.more()) this.#asker = undefined;
    }
    this.#serving = false;
    this.#readOn();
  }

  /** Whether frames of the last read are not delivered yet. */
  get #hasFrames(): boolean {
    return this.#taken < this.#batch.length;
  }

  #take(): readonly Frame[] {
    const most = this.#stopped ? Infinity : FRAMES_A_LOOK - this.#inRow;
    const whole = this.#taken === 0 && this.#batch.length <= most;
    const frames = whole ? this.#batch : this.#batch.slice(this.#taken, this.#taken + most);
    this.#taken += frames.length;
    this.#inRow += frames.length;
    return frames;
  }

  #takeOne(): Frame {
    this.#inRow++;
    return this.#batch[this.#taken++]!;
  }

  /** Called by the scheduler when the other connections have had their turn. */
  resume(): void {
    this.#resting = false;
    this.#beginTurn();
    this.#serve();
  }

  #beginTurn(): void {
    this.#inRow = 0;
    this.#busySince = undefined;
  }

  /** Whether this reader pauses; begins a pause after its share. A closed socket needs none: it has no more input. */
  #rests(): boolean {
    if (this.#resting || this.#stopped || this.#inRow < FRAMES_A_LOOK) return this.#resting;
    this.#inRow = 0;
    if (this.#receives) return false; // Each connection has one read per turn anyway.
    const now = this.#rest.now();
    this.#busySince ??= now;
    this.#resting = now - this.#busySince >= TURN_MS;
    if (this.#resting) this.#rest.add(this);
    return this.#resting;
  }

  /** Begins a read if one is needed and none is pending. Ends the consumer if no more frames will come. */
  #readOn(): void {
    if (this.#serving) return;
    if (this.#resting && this.#hasFrames && this.#discarded === undefined) return;
    const over = this.#peerEnded || this.#stopped;
    if (over) this.#discarded?.resolve();
    if (over || this.#discarded !== undefined || this.#framing !== undefined) this.#endAsker();
    if (over || this.#reading || (this.#asker === undefined && this.#discarded === undefined)) return;
    if (this.#rests()) return;
    this.#reading = true;
    this.#readSince = this.#now();
    if (this.#receives) this.#transport.receive!(this);
    else (this.#reads ??= new PromisedReads(this.#transport, this)).begin();
  }

  /** Called by the transport. */
  received(bytes: Uint8Array): void {
    this.#reading = false;
    if (this.#stopped) return;
    this.#bytes += bytes.length;
    if (bytes.length < BACKLOG_BYTES) this.#beginTurn();
    if (this.#discarded === undefined) {
      const { frames, error } = this.#decoder.push(bytes);
      this.#framing = error;
      this.#frames += frames.length;
      this.#batch = frames;
      this.#taken = 0;
    }
    this.#serve();
  }

  /** Called by the transport. */
  receivedEnd(): void {
    this.#reading = false;
    if (this.#stopped) return;
    this.#peerEnded = true;
    this.#framing ??= this.#decoder.end();
    this.#serve();
  }

  /** Called by the transport. */
  receiveFailed(cause: unknown): void {
    this.#reading = false;
    if (!this.#stopped) this.#failed({ type: "reset", cause }); // This calls `stop`.
  }

  #endAsker(): void {
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.end(this.#discarded === undefined ? this.#framing : undefined);
  }
}
