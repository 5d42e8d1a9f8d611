/** The reading half of a connection: bytes of its socket to frames, as they are asked for. @module */
import type { Decoder } from "./codecs/codec.ts";
import type { FramingError } from "./errors.ts";
import type { SocketFailure } from "./failure.ts";
import type { Receiver, Transport } from "./network.ts";
import { PromisedReads } from "./promised_reads.ts";
import type { FairScheduler, Resumable } from "./fairness.ts";
import { FrameCallback, type FrameConsumer, FrameIterator } from "./frame_iterator.ts";

/** What an {@linkcode Reader} needs. */
export interface InboundOptions<Frame> {
  transport: Transport;
  decoder: Decoder<Frame>;
  /** As in `Codec`. Default `false`. */
  copies?: boolean | undefined;
  /** The time, ms, for who will ask for {@linkcode Reader.readSince}. */
  now: () => number;
  /** Where it rests when it has had its share. */
  rest: FairScheduler;
  /** Told once when a read fails. */
  failed: (failure: SocketFailure) => void;
}

// A socket that has more at once is read again without waiting, and the runtime looks at the others only when nothing is
// left to do, or every 61 turns: with thousands of lines a turn, that is seconds. So who keeps it busy that long, ms, rests.
const TURN_MS = 10;
// The clock is looked at after so many frames. Those of whole buffers are few, and cost so little that nobody notices.
const FRAMES_A_LOOK = 1024;
// A read of fewer bytes had to be waited for, and the others had their turn meanwhile.
const BACKLOG_BYTES = 4096;

/**
 * Reads when somebody asks for frames, and gives each of them once, to whoever asks.
 *
 * No function here is async but on the edge: a read makes no promise and no closure besides those of the socket.
 * Where thousands of connections wait, each of those would outlive several young generations of the garbage collector.
 */
export class Reader<Frame> implements Resumable, Receiver {
  readonly #transport: Transport;
  readonly #decoder: Decoder<Frame>;
  readonly #now: () => number;
  readonly #rest: FairScheduler;
  readonly #failed: (failure: SocketFailure) => void;
  readonly #receives: boolean;
  /** Made for a connection that does not `receive`. */
  #reads: PromisedReads | undefined;
  #reading = false;
  /** What the last read gave; those before `#taken` are somebody's. */
  #batch: readonly Frame[] = [];
  #taken = 0;
  #framing: FramingError | undefined;
  #asker: FrameConsumer | undefined;
  /** Whether the asker is at what it was given: it may end this reading there, and throw afterwards. */
  #serving = false;
  /** How many were given since the last look at the clock. */
  #inRow = 0;
  /** When it began to have more than others, ms. */
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

  /** Whether a read is under way. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Since when the peer has been waited for, ms: since the read began that is under way. */
  get readSince(): number {
    return this.#readSince;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get frames(): number {
    return this.#frames;
  }

  /** What each read gave, or what is left of it, or as much of it as one turn may. */
  batches(): AsyncIterableIterator<readonly Frame[]> {
    return this.#iterate(() => this.#take());
  }

  /** One by one. */
  each(): AsyncIterableIterator<Frame> {
    return this.#iterate(() => this.#takeOne());
  }

  /** Calls `handle` with what {@linkcode Reader.batches} would give, until nothing more will come. */
  consume(handle: (frames: readonly Frame[]) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ask(new FrameCallback(() => handle(this.#take()), resolve, reject));
    });
  }

  /** Gives no more frames, but reads on to the peer's FIN, or to {@linkcode Reader.stop}. Never rejects. */
  discard(): Promise<void> {
    this.#discarded ??= Promise.withResolvers();
    this.#readOn();
    return this.#discarded.promise;
  }

  /** Reads no more: the socket is closed. */
  stop(): void {
    this.#stopped = true;
    if (this.#resting) {
      this.#rest.remove(this);
      // Who waits has what was left, and then hears of the end. Not now: whoever stops it is in the middle of something.
      queueMicrotask(() => this.resume());
    }
    this.#readOn();
  }

  #iterate<Item>(take: () => Item): AsyncIterableIterator<Item> {
    return new FrameIterator({ take, wait: (consumer) => this.#ask(consumer) });
  }

  /** @throws {TypeError} If somebody asks already. */
  #ask(asker: FrameConsumer): void {
    if (this.#asker !== undefined) throw new TypeError("Cannot read a connection twice at once");
    this.#asker = asker;
    this.#serve();
  }

  /** Gives the asker what there is, and reads on when that was all. */
  #serve(): void {
    this.#serving = true;
    while (this.#asker !== undefined && this.#hasFrames && this.#discarded === undefined && !this.#rests()) {
      const asker = this.#asker;
      if (!asker.more()) this.#asker = undefined;
    }
    this.#serving = false;
    this.#readOn();
  }

  /** Whether some of the last read are nobody's yet. */
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

  /** For the rest: the others have had their turn. */
  resume(): void {
    this.#resting = false;
    this.#beginTurn();
    this.#serve();
  }

  #beginTurn(): void {
    this.#inRow = 0;
    this.#busySince = undefined;
  }

  /** Whether it is the others' turn; begins that where this one has had its share. A socket that is closed has no more. */
  #rests(): boolean {
    if (this.#resting || this.#stopped || this.#inRow < FRAMES_A_LOOK) return this.#resting;
    this.#inRow = 0;
    if (this.#receives) return false; // Each connection has one read a turn anyway.
    const now = this.#rest.now();
    this.#busySince ??= now;
    this.#resting = now - this.#busySince >= TURN_MS;
    if (this.#resting) this.#rest.add(this);
    return this.#resting;
  }

  /** Begins a read where one is wanted and none is under way; tells who waits where no more frames will come. */
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

  /** For the transport. */
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

  /** For the transport. */
  receivedEnd(): void {
    this.#reading = false;
    if (this.#stopped) return;
    this.#peerEnded = true;
    this.#framing ??= this.#decoder.end();
    this.#serve();
  }

  /** For the transport. */
  receiveFailed(cause: unknown): void {
    this.#reading = false;
    if (!this.#stopped) this.#failed({ type: "reset", cause }); // Which stops it.
  }

  #endAsker(): void {
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.end(this.#discarded === undefined ? this.#framing : undefined);
  }
}
