/** One peer: frames in, frames out, and the one place where it ends. @module */
import type { Codec } from "./codec.ts";
import { type CloseReason, ConnectionClosedError, TlsError } from "./errors.ts";
import { gathererOf } from "./gather.ts";
import { Inbound } from "./inbound.ts";
import type { Address, Clock, Timer, Transport } from "./network.ts";
import { Outbound, type QueuedBytes } from "./outbound.ts";

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
  /**
   * Longest silence of the peer in ms before the connection is closed; 0 for no bound. Default 0. Silent is a peer
   * that sends nothing while it is read from, or takes nothing of what is written to it: not one that this side keeps
   * waiting.
   */
  idleTimeout?: number;
  /** Longest time in ms that `end` waits for the peer to take the rest and to finish. Default 10,000. */
  drainTimeout?: number;
  /** Where the waiting bytes of many connections are added up. */
  total?: QueuedBytes;
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
export class Connection<Frame = string> implements AsyncDisposable {
  readonly id: number;
  /** Why it ended; settles once, when the socket is closed, and never rejects. */
  readonly closed: Promise<CloseReason>;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #inbound: Inbound<Frame>;
  readonly #outbound: Outbound<Frame>;
  readonly #drainTimeout: number;
  readonly #openedAt: number;
  readonly #resolveClosed: (reason: CloseReason) => void;
  /** What `end` was asked to end it for. */
  #ending: CloseReason | undefined;
  #reason: CloseReason | undefined;
  #idle: Timer | undefined;
  #drain: Timer | undefined;

  constructor(transport: Transport, options: ConnectionOptions<Frame>) {
    const { codec, clock, writeBuffer = WRITE_BUFFER, highWater = HIGH_WATER } = options;
    this.id = options.id ?? 0;
    this.#transport = transport;
    this.#clock = clock;
    this.#drainTimeout = options.drainTimeout ?? DRAIN_TIMEOUT;
    this.#openedAt = clock.now();
    this.#inbound = new Inbound({
      transport,
      decoder: codec.decoder(),
      clock,
      onFailure: (cause) => this.#fail("reset", cause),
    });
    this.#outbound = new Outbound({
      transport,
      encoder: codec.encoder(),
      gatherer: gathererOf(clock),
      writeBuffer,
      highWater: Math.min(highWater, writeBuffer),
      total: options.total ?? { queuedBytes: 0 },
      onSlowReader: (queuedBytes) => this.#finish({ type: "slow-reader", queuedBytes, limit: writeBuffer }),
      onFailure: (cause) => this.#fail("write-failed", cause),
    });
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
    return this.#inbound.peerEnded;
  }

  /** Bytes given to `send` that the socket has not taken. */
  get queuedBytes(): number {
    return this.#outbound.queued;
  }

  /**
   * What each read gave, never empty; the cheapest way to read many frames. A loop that is left early and begun again,
   * this way or by `frames` or `lines`, goes on where it was.
   *
   * @throws {FramingError} After the good frames; nothing more can be read then. `end` with the reason closes it.
   * @throws {TypeError} If two ask at once.
   */
  batches(): AsyncIterableIterator<readonly Frame[]> {
    return this.#inbound.batches();
  }

  /** The frames one by one. Goes on and throws as {@linkcode Connection.batches} does. */
  frames(): AsyncIterableIterator<Frame> {
    return this.#inbound.each();
  }

  /** The lines of a connection of lines, one by one. Goes on and throws as {@linkcode Connection.batches} does. */
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
    return this.#outbound.send(frame);
  }

  /**
   * Waits until the socket has taken all that was given to `send`.
   *
   * @throws {ConnectionClosedError} If it closes before, with how many bytes were not sent.
   */
  flushed(): Promise<void> {
    return this.#outbound.flushed();
  }

  /**
   * Half-closes: sends what is queued, then FIN. Reading goes on; `send` gives `false` from now on.
   *
   * @throws {ConnectionClosedError} If it closes before all was sent.
   */
  closeWrite(): Promise<void> {
    return this.#outbound.closeWrite();
  }

  /**
   * Ends it in order: sends what is queued, then FIN, reads and discards to the peer's FIN, closes. Closing without
   * reading to the end would reset the connection, and the peer might lose what it has not read.
   *
   * @param why What `closed` will say. Default natural.
   * @returns What `closed` says. Where `why` is natural, another reason when it failed on the way; where it is natural
   * or local, the timeout when it took longer than `drainTimeout`. `stats().queuedBytes` is what could not be sent.
   */
  async end(why: CloseReason = NATURAL): Promise<CloseReason> {
    if (this.#reason === undefined && this.#ending === undefined) {
      this.#ending = why;
      const ms = this.#drainTimeout;
      const late = why.type === "natural" || why.type === "local";
      this.#drain = this.#clock.after(
        ms,
        () => this.#finish(late ? { type: "timeout", which: "drain", ms } : why),
      );
      // At once: a peer that is busy writing to us may read nothing until it is through.
      const discarded = this.#inbound.discard();
      try {
        await this.#outbound.closeWrite();
      } catch (error) {
        // Closed on the way: `closed` says why, `stats` how much was not sent.
        if (!(error instanceof ConnectionClosedError)) throw error;
      }
      await discarded;
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
      bytesIn: this.#inbound.bytes,
      bytesOut: this.#outbound.bytes,
      framesIn: this.#inbound.frames,
      framesOut: this.#outbound.frames,
      queuedBytes: this.#outbound.queued,
    };
  }

  /** As {@linkcode Connection.end}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** A read or write has failed. */
  #fail(type: "reset" | "write-failed", cause: unknown): void {
    if (this.#ending !== undefined && this.#ending.type !== "natural") {
      this.#finish(this.#ending); // It was over before.
    } else if (type === "write-failed" && this.peerEnded) {
      this.#finish(NATURAL); // A peer that is done does not read, and need not.
    } else if (cause instanceof TlsError) {
      this.#finish({ type: "tls-failed", error: cause });
    } else {
      this.#finish({ type, error: cause instanceof Error ? cause : new Error(String(cause)) });
    }
  }

  /**
   * Looks again when the silence could first be long enough: reads and writes set no timer.
   *
   * @param stuckAt Bytes that had been written when a write was already waiting a whole `limit` ago.
   */
  #watchIdle(limit: number, wait: number, stuckAt?: number): void {
    this.#idle = this.#clock.after(wait, () => {
      const written = this.#outbound.bytes;
      if (this.#inbound.reading) {
        const left = this.#inbound.lastRead + limit - this.#clock.now();
        if (left > 0) return this.#watchIdle(limit, left);
      } else if (!this.#outbound.writing || written !== stuckAt) {
        return this.#watchIdle(limit, limit, this.#outbound.writing ? written : undefined);
      }
      this.#finish({ type: "timeout", which: "idle", ms: limit });
    });
  }

  /** The one place where a connection ends. */
  #finish(reason: CloseReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#idle?.cancel();
    this.#drain?.cancel();
    this.#inbound.stop();
    this.#outbound.stop(reason);
    this.#transport.close();
    this.#resolveClosed(reason);
  }
}
