/** One peer: frames in, frames out, and the one place where it ends. @module */
import type { Codec, Decoder, Encoder } from "./codec.ts";
import { type CloseReason, ConnectionClosedError, FramingError, TlsError } from "./errors.ts";
import { type Flushable, gathererOf, type TurnGatherer } from "./gather.ts";
import type { Address, Clock, Timer, Transport } from "./network.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** What a {@linkcode Connection} needs besides its socket. */
export interface ConnectionOptions<Frame> {
  codec: Codec<Frame>;
  clock: Clock;
  /** Number to know it by; unique within its listener. Default 0. */
  id?: number;
  /** Bytes that may wait for a peer that does not read; over it the peer is a slow reader and is cut off. Default 1 MiB. */
  writeBuffer?: number;
  /** Waiting bytes over which `send` gives `false`. Default 64 KiB, at most `writeBuffer`. */
  highWater?: number;
  /** Longest silence of the peer in ms before the connection is closed; 0 for no bound. Default 0. */
  idleTimeout?: number;
  /** Longest time in ms that `end` waits for the peer to take the rest and to finish. Default 10,000. */
  drainTimeout?: number;
}

/** What has gone through a connection so far. */
export interface ConnectionStats {
  /** When it opened, on its clock, ms. */
  readonly openedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly framesIn: number;
  readonly framesOut: number;
  /** Bytes given to `send` that the socket has not taken; after the end, those it never took. */
  readonly queuedBytes: number;
}

const WRITE_BUFFER = 1024 * 1024;
const HIGH_WATER = 64 * 1024;
const DRAIN_TIMEOUT = 10_000;
const NOTHING = new Uint8Array(0);
const NATURAL: CloseReason = { type: "natural" };

/**
 * One peer.
 *
 * Reading is pulled: without a loop over `batches()`, `frames()` or `lines()` nothing is read, and the peer feels it.
 * Writing never waits: what one turn of the event loop sends goes out in one write, in order.
 *
 * A loop ends when nothing more will come, for whatever reason; `closed` tells which. It throws only a
 * {@linkcode FramingError}, after the good frames, because then something can still be said to the peer.
 */
export class Connection<Frame = string> implements AsyncDisposable, Flushable {
  readonly id: number;
  /** Why it ended; settles once, when the socket is closed, and never rejects. */
  readonly closed: Promise<CloseReason>;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #gatherer: TurnGatherer;
  readonly #decoder: Decoder<Frame>;
  readonly #encoder: Encoder<Frame>;
  readonly #buffer = new ReadBuffer();
  readonly #writeBuffer: number;
  readonly #highWater: number;
  readonly #drainTimeout: number;
  readonly #openedAt: number;
  readonly #resolveClosed: (reason: CloseReason) => void;
  #reason: CloseReason | undefined;
  #reading: Promise<number | null> | undefined;
  #iterating = false;
  #failure: FramingError | undefined;
  #peerEnded = false;
  #writeEnded = false;
  #discarding = false;
  #scheduled = false;
  /** What the socket was given and has not taken. */
  #outgoing: Uint8Array = NOTHING;
  #waiters: { resolve(): void; reject(error: Error): void }[] | undefined;
  #idle: Timer | undefined;
  #drain: Timer | undefined;
  #lastRead: number;
  #bytesIn = 0;
  #bytesOut = 0;
  #framesIn = 0;
  #framesOut = 0;

  constructor(transport: Transport, options: ConnectionOptions<Frame>) {
    this.id = options.id ?? 0;
    this.#transport = transport;
    this.#clock = options.clock;
    this.#gatherer = gathererOf(options.clock);
    this.#decoder = options.codec.decoder();
    this.#encoder = options.codec.encoder();
    this.#writeBuffer = options.writeBuffer ?? WRITE_BUFFER;
    this.#highWater = Math.min(options.highWater ?? HIGH_WATER, this.#writeBuffer);
    this.#drainTimeout = options.drainTimeout ?? DRAIN_TIMEOUT;
    this.#openedAt = this.#lastRead = this.#clock.now();
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    if (options.idleTimeout) this.#watchIdle(options.idleTimeout, options.idleTimeout);
  }

  get local(): Address {
    return this.#transport.local;
  }

  get remote(): Address {
    return this.#transport.remote;
  }

  /** Whether it still stands: no end of either side has closed the socket. */
  get open(): boolean {
    return this.#reason === undefined;
  }

  /** Whether the peer has sent its FIN. */
  get peerEnded(): boolean {
    return this.#peerEnded;
  }

  /** Bytes given to `send` that the socket has not taken. */
  get queuedBytes(): number {
    return this.#encoder.size + this.#outgoing.length;
  }

  /**
   * Calls `handle` with what each read gave, never empty, until nothing more will come. The cheapest way to read where
   * thousands of connections wait: each read makes fewer promises than a turn of a loop over {@linkcode Connection.batches}.
   * What `handle` throws ends it.
   *
   * @throws {FramingError} After the good frames; nothing more can be read then. `end` with the reason closes it.
   *
   * @example
   * ```ts
   * import { connect, listen, MemoryNetwork } from "@okline/okline/socket";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new MemoryNetwork();
   * await using server = listen({ network, port: 8000 });
   * const lines: string[] = [];
   * server.serve((peer) => peer.consume((batch) => void lines.push(...batch)));
   *
   * const client = await connect({ network, port: 8000 });
   * client.send("one");
   * client.send("two");
   * await client.end();
   * assertEquals(lines, ["one", "two"]);
   * ```
   */
  async consume(handle: (frames: readonly Frame[]) => void): Promise<void> {
    this.#claim();
    try {
      while (this.#failure === undefined) {
        const frames = this.#decode(await this.#read());
        if (frames === undefined) return;
        if (frames.length > 0) handle(frames);
      }
      throw this.#failure;
    } finally {
      this.#iterating = false;
    }
  }

  /**
   * What each read gave, never empty.
   *
   * @throws {FramingError} After the good frames; nothing more can be read then. `end` with the reason closes it.
   */
  batches(): AsyncIterableIterator<readonly Frame[]> {
    const iterator: AsyncIterableIterator<readonly Frame[]> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        this.#claim();
        try {
          while (this.#failure === undefined) {
            const frames = this.#decode(await this.#read());
            if (frames === undefined) return { done: true, value: undefined };
            if (frames.length > 0) return { done: false, value: frames };
          }
          throw this.#failure;
        } finally {
          this.#iterating = false;
        }
      },
    };
    return iterator;
  }

  /** The frames one by one. Throws as {@linkcode Connection.batches} does. */
  async *frames(): AsyncIterableIterator<Frame> {
    for await (const batch of this.batches()) yield* batch;
  }

  /** The lines of a connection of lines, one by one. Throws as {@linkcode Connection.batches} does. */
  lines(this: Connection<string>): AsyncIterableIterator<string> {
    return this.frames();
  }

  /**
   * Queues a frame; it leaves at the end of this turn of the event loop. Never waits.
   *
   * @returns `false` when the peer falls behind (or is gone): wait for `flushed` before sending much more. A peer that
   * leaves more than `writeBuffer` bytes waiting is cut off as a slow reader.
   * @throws {TypeError} If the codec cannot carry the frame, as a line feed in a line.
   */
  send(frame: Frame): boolean {
    if (this.#reason !== undefined || this.#writeEnded) return false;
    this.#encoder.push(frame);
    this.#framesOut++;
    const queued = this.#encoder.size + this.#outgoing.length;
    // With nothing in flight the peer has taken all it was offered: a burst of this turn is not its fault.
    if (queued > this.#writeBuffer && this.#outgoing.length > 0) {
      this.#finish({ type: "slow-reader", queuedBytes: queued, limit: this.#writeBuffer });
      return false;
    }
    if (!this.#scheduled && this.#outgoing.length === 0) {
      this.#scheduled = true;
      this.#gatherer.add(this);
    }
    return queued <= this.#highWater;
  }

  /**
   * Waits until the socket has taken all that was given to `send`.
   *
   * @throws {ConnectionClosedError} If it closes before, with how many bytes were not sent.
   */
  flushed(): Promise<void> {
    if (this.queuedBytes === 0) return Promise.resolve();
    if (this.#reason !== undefined) return Promise.reject(this.#closedError(this.#reason));
    return new Promise((resolve, reject) => (this.#waiters ??= []).push({ resolve, reject }));
  }

  /**
   * Half-closes: sends what is queued, then FIN. Reading goes on; `send` gives `false` from now on.
   *
   * @throws {ConnectionClosedError} If it closes before all was sent.
   */
  async closeWrite(): Promise<void> {
    this.#writeEnded = true;
    await this.flushed();
    if (this.#reason !== undefined) return;
    try {
      await this.#transport.closeWrite();
    } catch (cause) {
      this.#finish(this.#writeFailure(cause));
    }
  }

  /**
   * Ends it in order: sends what is queued, then FIN, reads and discards to the peer's FIN, closes. Closing without
   * reading to the end would reset the connection, and the peer might lose what it has not read.
   *
   * @param why What `closed` will say. Default natural.
   * @returns What `closed` says: another reason when it failed on the way, or took longer than `drainTimeout`.
   * `stats().queuedBytes` is what could not be sent.
   */
  async end(why: CloseReason = NATURAL): Promise<CloseReason> {
    if (this.#reason === undefined && !this.#discarding) {
      this.#discarding = true;
      const ms = this.#drainTimeout;
      this.#drain = this.#clock.after(ms, () => this.#finish({ type: "timeout", which: "drain", ms }));
      try {
        await this.closeWrite();
        while (this.#reason === undefined && !this.#peerEnded) await this.#read();
      } catch (error) {
        // Closed on the way: `closed` says why, `stats` how much was not sent.
        if (!(error instanceof ConnectionClosedError)) throw error;
      }
      this.#finish(why);
    }
    return await this.closed;
  }

  /** Closes at once; what is queued is dropped. Does nothing when it has ended. */
  close(why: CloseReason = { type: "local", why: "closed" }): void {
    this.#finish(why);
  }

  stats(): ConnectionStats {
    return {
      openedAt: this.#openedAt,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      queuedBytes: this.queuedBytes,
    };
  }

  /** As {@linkcode Connection.end}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** For the gatherer: starts to write what this turn sent. */
  flushTurn(): void {
    this.#scheduled = false;
    if (this.#reason === undefined && this.#outgoing.length === 0) this.#write();
  }

  /** Writes what waits, one write after another. */
  #write(): void {
    if (this.#outgoing.length === 0) {
      if (this.#encoder.size === 0) {
        const waiters = this.#waiters;
        this.#waiters = undefined;
        if (waiters !== undefined) { for (const waiter of waiters) waiter.resolve(); }
        return;
      }
      this.#outgoing = this.#encoder.take();
    }
    this.#transport.write(this.#outgoing).then(this.#onWritten, this.#onWriteFailure);
  }

  readonly #onWritten = (count: number): void => {
    if (this.#reason !== undefined) return;
    this.#bytesOut += count;
    this.#outgoing = count === this.#outgoing.length ? NOTHING : this.#outgoing.subarray(count);
    this.#write();
  };

  readonly #onWriteFailure = (cause: unknown): void => this.#finish(this.#writeFailure(cause));

  #claim(): void {
    if (this.#iterating) throw new TypeError(`Cannot read connection ${this.id} twice at once`);
    this.#iterating = true;
  }

  /** The frames of a read; `undefined` when nothing more will come. */
  #decode(count: number | null): readonly Frame[] | undefined {
    if (this.#discarding) return undefined;
    if (count === null) {
      if (this.#peerEnded) this.#failure = this.#decoder.end();
      return this.#failure === undefined ? undefined : [];
    }
    const { frames, error } = this.#decoder.push(this.#buffer.filled(count));
    this.#failure = error;
    this.#framesIn += frames.length;
    return frames;
  }

  /** A failed write after the peer's FIN is only a peer that is done. */
  #writeFailure(cause: unknown): CloseReason {
    if (this.#peerEnded) return NATURAL;
    return tlsFailure(cause) ?? { type: "write-failed", error: asError(cause) };
  }

  /** One read for all that wait for it. Never rejects; `null` when nothing more will come. */
  #read(): Promise<number | null> {
    if (this.#peerEnded || this.#reason !== undefined) return Promise.resolve(null);
    return this.#reading ??= this.#transport.read(this.#buffer.free()).then(
      this.#onRead,
      this.#onReadFailure,
    );
  }

  readonly #onRead = (count: number | null): number | null => {
    this.#reading = undefined;
    if (this.#reason !== undefined) return null;
    this.#lastRead = this.#clock.now();
    if (count === null) this.#peerEnded = true;
    else this.#bytesIn += count;
    return count;
  };

  readonly #onReadFailure = (cause: unknown): null => {
    this.#reading = undefined;
    this.#finish(tlsFailure(cause) ?? { type: "reset", error: asError(cause) });
    return null;
  };

  /** Looks again when the silence could first be long enough: reads only note the time, and set no timer. */
  #watchIdle(limit: number, wait: number): void {
    this.#idle = this.#clock.after(wait, () => {
      const left = this.#lastRead + limit - this.#clock.now();
      if (left > 0) this.#watchIdle(limit, left);
      else this.#finish({ type: "timeout", which: "idle", ms: limit });
    });
  }

  #closedError(reason: CloseReason): ConnectionClosedError {
    return new ConnectionClosedError(reason, this.queuedBytes);
  }

  /** The one place where a connection ends. */
  #finish(reason: CloseReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#idle?.cancel();
    this.#drain?.cancel();
    this.#transport.close();
    const waiters = this.#waiters;
    this.#waiters = undefined;
    if (waiters !== undefined) { for (const waiter of waiters) waiter.reject(this.#closedError(reason)); }
    this.#resolveClosed(reason);
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

function tlsFailure(cause: unknown): CloseReason | undefined {
  return cause instanceof TlsError ? { type: "tls-failed", error: cause } : undefined;
}
