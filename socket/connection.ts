/** One peer: frames in, frames out, and the one place where it ends. @module */
import type { ConnectionOptions, ConnectionStats } from "./connection_options.ts";
import type { Timeouts } from "./timeouts.ts";
import { type CloseReason, ConnectionClosedError } from "./errors.ts";
import { closeReasonOf, type SocketFailure } from "./failure.ts";
import { gathererOf } from "./gather.ts";
import { Reader } from "./reader.ts";
import type { Address, Transport } from "./network.ts";
import type { Clock, Timer } from "../internal/clock.ts";
import { Writer } from "./writer.ts";
import { watchPeer } from "./peer_deadlines.ts";
import { restOf } from "./fairness.ts";

const WRITE_BUFFER = 1024 * 1024;
const HIGH_WATER = 64 * 1024;
const DRAIN_TIMEOUT = 10_000;
// Who is told why it is closed may be the very one that does not listen: not for long.
const FAREWELL_TIMEOUT = 1000;
// For connections without a timeout: nobody asks for their times, and each look at the clock costs.
const UNTIMED = () => 0;
const NATURAL: CloseReason = { type: "natural" };

export type { ConnectionOptions, ConnectionStats } from "./connection_options.ts";

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
  /**
   * Whether there is a peer to serve: `true` once it has shaken hands by TLS, `false` where the connection ended before
   * that. Absent where there is nothing to wait for. A listener serves nobody before.
   */
  readonly ready: Promise<boolean> | undefined;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #inbound: Reader<Frame>;
  readonly #outbound: Writer<Frame>;
  readonly #drainTimeout: number;
  readonly #openedAt: number;
  /** Made when somebody asks. */
  #closed: PromiseWithResolvers<CloseReason> | undefined;
  readonly #onClosed: ConnectionOptions<Frame>["onClosed"];
  /** What `end` was asked to end it for. */
  #ending: CloseReason | undefined;
  #reason: CloseReason | undefined;
  readonly #farewell: ((reason: CloseReason) => Frame | undefined) | undefined;
  #deadlines: Timeouts | undefined; // Most connections have no timeout but the one of their end.
  #drain: Timer | undefined;

  constructor(transport: Transport, options: ConnectionOptions<Frame>) {
    const { codec, clock, writeBuffer = WRITE_BUFFER, highWater = HIGH_WATER } = options;
    this.id = options.id ?? 0;
    this.#transport = transport;
    this.#clock = clock;
    this.#drainTimeout = options.drainTimeout ?? DRAIN_TIMEOUT;
    this.#openedAt = clock.now();
    const { idleTimeout = 0, firstFrameTimeout = 0, writeTimeout = 0 } = options;
    const timed = idleTimeout + firstFrameTimeout + writeTimeout > 0;
    const failed = (failure: SocketFailure) => this.#fail(failure);
    const now = timed ? () => clock.now() : UNTIMED;
    const rest = restOf(clock);
    this.#inbound = new Reader({
      transport,
      decoder: codec.decoder(),
      copies: codec.copies,
      now,
      rest,
      failed,
    });
    this.#outbound = new Writer({
      transport,
      encoder: codec.encoder(),
      gatherer: gathererOf(clock),
      now,
      writeBuffer,
      highWater: Math.min(highWater, writeBuffer),
      total: options.total ?? { queuedBytes: 0 },
      failed,
    });
    this.#onClosed = options.onClosed;
    this.#farewell = options.farewell;
    this.ready = transport.ready?.then(() => true, (cause) => {
      failed({ type: "reset", cause });
      return false;
    });
    if (timed) {
      this.#deadlines = watchPeer({ idleTimeout, firstFrameTimeout, writeTimeout }, {
        clock,
        openedAt: this.#openedAt,
        inbound: this.#inbound,
        outbound: this.#outbound,
        late: (which, ms) => this.#late({ type: "timeout", which, ms }),
      });
    }
  }

  get local(): Address {
    return this.#transport.local;
  }

  get remote(): Address {
    return this.#transport.remote;
  }

  /** Why it ended; settles once, when the socket is closed, and never rejects. */
  get closed(): Promise<CloseReason> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      if (this.#reason !== undefined) this.#closed.resolve(this.#reason);
    }
    return this.#closed.promise;
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
   * Calls `handle` with what each read gave, never empty and in parts of 1024 frames at most, until nothing more will come.
   * The cheapest way to read where thousands of connections wait: each read makes fewer promises than a turn of a loop over {@linkcode Connection.batches}.
   * What `handle` throws ends it; called again, it goes on where it was.
   *
   * @throws {FramingError} After the good frames; nothing more can be read then. `end` with the reason closes it.
   * @throws {TypeError} If two ask at once.
   *
   * @example
   * ```ts
   * import { connect, listen } from "@okline/okline/socket";
   * import { MemoryNetwork } from "@okline/okline/testing";
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
   * await client.close();
   * assertEquals(lines, ["one", "two"]);
   * ```
   */
  consume(handle: (frames: readonly Frame[]) => void): Promise<void> {
    return this.#inbound.consume(handle);
  }

  /**
   * What each read gave, never empty and in parts of 1024 frames at most. A loop that is left early and begun again,
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
  close(why: CloseReason = NATURAL): Promise<CloseReason> {
    return this.#end(why, this.#drainTimeout);
  }

  /**
   * Ends it because of something the peer did or did not do: tells it why, where there is a `farewell`, and has no more
   * than a second of patience for the rest.
   *
   * @returns What `closed` says.
   */
  dismiss(why: CloseReason): Promise<CloseReason> {
    const frame = this.#ending === undefined ? this.#farewell?.(why) : undefined;
    if (frame !== undefined) this.send(frame);
    return this.#end(why, Math.min(FAREWELL_TIMEOUT, this.#drainTimeout));
  }

  /** Closes at once; what is queued is dropped. Does nothing when it has ended. */
  abort(why: CloseReason = { type: "local", why: "closed" }): void {
    this.#finish(why);
  }

  /**
   * Closes like {@linkcode Connection.abort}, but with a reset (RST) instead of a FIN, so that the peer does not take what
   * it has received for everything. Deno's sockets cannot reset: there, it is the same as `abort`.
   */
  reset(why: CloseReason = { type: "local", why: "reset" }): void {
    this.#finish(why, true);
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

  /** As {@linkcode Connection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A read or write has failed. */
  #fail(failure: SocketFailure): void {
    const { type } = failure;
    if (type !== "slow-reader" && this.#ending !== undefined && this.#ending.type !== "natural") {
      this.#finish(this.#ending); // It was over before.
    } else if (type === "write-failed" && this.peerEnded) {
      this.#finish(NATURAL); // A peer that is done does not read, and need not.
    } else {
      this.#finish(closeReasonOf(failure));
    }
  }

  async #end(why: CloseReason, ms: number): Promise<CloseReason> {
    if (this.#reason === undefined && this.#ending === undefined) {
      this.#ending = why;
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

  /** A timeout has passed. Who takes nothing cannot be told. */
  #late(why: CloseReason & { type: "timeout" }): void {
    if (this.#farewell === undefined || this.#outbound.writing) this.#finish(why);
    else void this.dismiss(why);
  }

  /** The one place where a connection ends. */
  #finish(reason: CloseReason, byReset = false): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#deadlines?.cancel();
    this.#drain?.cancel();
    this.#inbound.stop();
    this.#outbound.stop(reason);
    if (byReset && this.#transport.reset !== undefined) this.#transport.reset();
    else this.#transport.close();
    // Not now: whoever closed it may be in the middle of something. But before anybody hears of it by `closed`.
    if (this.#onClosed !== undefined) queueMicrotask(() => this.#onClosed?.(this, reason));
    this.#closed?.resolve(reason);
  }
}
