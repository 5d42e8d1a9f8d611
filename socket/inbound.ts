/** The reading half of a connection: bytes of its socket to frames, as they are asked for. @module */
import type { Decoder } from "./codec.ts";
import type { FramingError } from "./errors.ts";
import type { Clock, Transport } from "./network.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** What an {@linkcode Inbound} needs. */
export interface InboundOptions<Frame> {
  transport: Transport;
  decoder: Decoder<Frame>;
  clock: Clock;
  /** Told once when a read fails. */
  onFailure: (cause: unknown) => void;
}

/** Reads when somebody asks for frames, and gives each of them once, to whoever asks. */
export class Inbound<Frame> {
  readonly #transport: Transport;
  readonly #decoder: Decoder<Frame>;
  readonly #clock: Clock;
  readonly #onFailure: (cause: unknown) => void;
  readonly #buffer = new ReadBuffer();
  #pending: Promise<number | null> | undefined;
  /** What the last read gave; those before `#taken` are somebody's. */
  #batch: readonly Frame[] = [];
  #taken = 0;
  #framing: FramingError | undefined;
  #asked = false;
  #discarding = false;
  #stopped = false;
  #peerEnded = false;
  #bytes = 0;
  #frames = 0;
  #readSince = 0;

  constructor(options: InboundOptions<Frame>) {
    this.#transport = options.transport;
    this.#decoder = options.decoder;
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
  }

  /** Whether the peer has sent its FIN. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Whether a read is under way. */
  get reading(): boolean {
    return this.#pending !== undefined;
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

  /** What each read gave, or what is left of it. */
  batches(): AsyncIterableIterator<readonly Frame[]> {
    const iterator: AsyncIterableIterator<readonly Frame[]> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        if (!this.#hasFrame() && !await this.#fill()) return { done: true, value: undefined };
        return { done: false, value: this.#take() };
      },
    };
    return iterator;
  }

  /** Calls `handle` with what each read gave, or what is left of it, until nothing more will come. */
  async consume(handle: (frames: readonly Frame[]) => void): Promise<void> {
    while (this.#hasFrame() || await this.#fill()) handle(this.#take());
  }

  /** One by one. */
  each(): AsyncIterableIterator<Frame> {
    // Not a generator: those await three times a frame, and drop what is left when their loop is.
    const iterator: AsyncIterableIterator<Frame> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        if (!this.#hasFrame() && !await this.#fill()) return { done: true, value: undefined };
        return { done: false, value: this.#batch[this.#taken++]! };
      },
    };
    return iterator;
  }

  /** Gives no more frames, but reads on to the peer's FIN, or to {@linkcode Inbound.stop}. Never rejects. */
  async discard(): Promise<void> {
    this.#discarding = true;
    while (await this.#read() !== null);
  }

  /** Reads no more: the socket is closed. */
  stop(): void {
    this.#stopped = true;
  }

  #hasFrame(): boolean {
    return this.#taken < this.#batch.length && !this.#discarding;
  }

  #take(): readonly Frame[] {
    const frames = this.#taken === 0 ? this.#batch : this.#batch.slice(this.#taken);
    this.#taken = this.#batch.length;
    return frames;
  }

  /** Reads until there are frames; `false` when there will be none. */
  async #fill(): Promise<boolean> {
    if (this.#asked) throw new TypeError("Cannot read a connection twice at once");
    this.#asked = true;
    try {
      while (this.#framing === undefined && !this.#discarding) {
        const count = await this.#read();
        if (this.#discarding) return false;
        if (count === null) {
          if (this.#peerEnded) this.#framing = this.#decoder.end();
          if (this.#framing === undefined) return false;
        } else {
          const { frames, error } = this.#decoder.push(this.#buffer.filled(count));
          this.#framing = error;
          this.#frames += frames.length;
          this.#batch = frames;
          this.#taken = 0;
          if (frames.length > 0) return true;
        }
      }
      if (this.#discarding) return false;
      throw this.#framing;
    } finally {
      this.#asked = false;
    }
  }

  /** One read for all that wait for it; `null` when nothing more will come. Never rejects. */
  #read(): Promise<number | null> {
    if (this.#peerEnded || this.#stopped) return Promise.resolve(null);
    return this.#pending ??= this.#readTransport();
  }

  async #readTransport(): Promise<number | null> {
    this.#readSince = this.#clock.now();
    try {
      const count = await this.#transport.read(this.#buffer.free());
      if (this.#stopped) return null;
      if (count === null) this.#peerEnded = true;
      else this.#bytes += count;
      return count;
    } catch (cause) {
      if (!this.#stopped) this.#onFailure(cause);
      return null;
    } finally {
      this.#pending = undefined;
    }
  }
}
