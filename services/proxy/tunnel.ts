/** Bytes in both directions between two connections. @module */
import type { Connection } from "../../socket/connection.ts";
import type { FrameSink } from "../../socket/connection/frame_iterator.ts";
import { type CloseReason, ConnectionClosedError } from "../../socket/errors.ts";
import type { Clock, Timer } from "../../internal/clock.ts";
import type { EarlyReader } from "./early_reader.ts";

/** Options for {@linkcode tunnel}. */
export interface TunnelOptions {
  readonly clock: Clock;
  /** Longest time in ms without a byte in either direction. 0 disables. */
  readonly idleTimeout: number;
  /** Reads the first connection, if something does already. */
  readonly early?: EarlyReader;
}

/**
 * Passes bytes on in both directions until both sides have finished.
 *
 * - A half-close is passed on: a side that has finished sending may still read.
 * - Nothing is read from one side while the other does not take what it was sent, so little is held here.
 * - A reset of one side is passed on as a reset of the other. When a connection breaks in another way, the other one is
 *   reset too, unless it has received everything already: a truncated stream must not look complete. Where the sockets
 *   cannot reset ({@linkcode Connection.reset}), they are closed.
 *
 * Rejects with an error that is not the end of a connection.
 */
export function tunnel(
  client: Connection<Uint8Array>,
  backend: Connection<Uint8Array>,
  options: TunnelOptions,
): Promise<void> {
  return new Promise((resolve, reject) => new Tunnel(client, backend, options, { resolve, reject }));
}

/** Settles the promise of a tunnel. */
interface Settle {
  resolve(): void;
  reject(error: unknown): void;
}

class Tunnel {
  readonly idle: IdleTimer;
  readonly #directions: readonly Direction[];
  readonly #settle: Settle;
  #running = 2;

  constructor(
    client: Connection<Uint8Array>,
    backend: Connection<Uint8Array>,
    { clock, idleTimeout: ms, early }: TunnelOptions,
    settle: Settle,
  ) {
    this.#settle = settle;
    const [fromClient, fromBackend] = [
      new Direction(this, client, backend),
      new Direction(this, backend, client),
    ];
    this.#directions = [fromClient, fromBackend];
    this.idle = new IdleTimer(clock, ms, () => {
      for (const direction of this.#directions) direction.breakOff({ type: "timeout", which: "idle", ms });
    });
    try {
      if (early === undefined) client.feed(fromClient);
      else early.passTo(fromClient);
      backend.feed(fromBackend);
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error: unknown): void {
    this.idle.cancel();
    this.#settle.reject(error);
  }

  /** Called by each direction once. What is left of a connection whose other end has gone is broken off. */
  ended(): void {
    const broken = this.#directions.filter(({ from }) => !from.open);
    if (broken.length === 0) return this.#count();
    const broke = broken.map(async (direction) => {
      const { type } = await direction.from.closed;
      direction.breakOff({
        type: "local",
        why: type === "reset" ? "other side was reset" : "other side ended",
      });
    });
    void Promise.all(broke).then(() => this.#count());
  }

  #count(): void {
    if (--this.#running > 0) return;
    this.idle.cancel();
    this.#settle.resolve();
  }
}

/** Bytes from one connection to the other. They are written where they were read, in the same call. */
class Direction implements FrameSink<Uint8Array> {
  readonly keepsNothing = true;
  readonly from: Connection<Uint8Array>;
  readonly #to: Connection<Uint8Array>;
  readonly #tunnel: Tunnel;
  /** Whether the other connection was sent everything, and a FIN. */
  #complete = false;
  #over = false;

  constructor(tunnel: Tunnel, from: Connection<Uint8Array>, to: Connection<Uint8Array>) {
    this.#tunnel = tunnel;
    this.from = from;
    this.#to = to;
  }

  take(pieces: readonly Uint8Array[]): boolean {
    this.#tunnel.idle.touch();
    let taken = true;
    for (const piece of pieces) taken = this.#to.pass(piece, this.from);
    if (!taken) this.#to.flushed().then(this.#feedOn, this.#failed);
    return taken;
  }

  ended(error?: unknown): void {
    if (error !== undefined) this.#tunnel.failed(error);
    else if (this.from.peerEnded && this.from.open && this.#to.open) {
      this.#complete = true;
      // Also on the side that finishes last: TLS says goodbye before its FIN.
      this.#to.closeWrite().then(this.#end, this.#failed);
    } else this.#end();
  }

  /** Ends the other connection, so that what it was sent does not look complete unless it is. */
  breakOff(why: CloseReason): void {
    if (this.#complete) this.#to.abort(why);
    else this.#to.reset(why);
  }

  readonly #feedOn = (): void => {
    this.#tunnel.idle.touch();
    if (this.#to.open) this.from.feedOn();
    else this.#end();
  };

  readonly #failed = (error: unknown): void => {
    // Expected when a connection closes; its `closed` has the reason.
    if (error instanceof ConnectionClosedError) this.#end();
    else this.#tunnel.failed(error);
  };

  readonly #end = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#tunnel.ended();
  };
}

/** Calls back after a silence. A byte only records the time, so it costs no timer. */
class IdleTimer {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #expired: () => void;
  #last: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, limit: number, expired: () => void) {
    this.#clock = clock;
    this.#limit = limit;
    this.#expired = expired;
    this.#last = clock.now();
    if (limit > 0) this.#wait(limit);
  }

  touch(): void {
    if (this.#limit > 0) this.#last = this.#clock.now();
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      const left = this.#last + this.#limit - this.#clock.now();
      if (left > 0) this.#wait(left);
      else this.#expired();
    });
  }
}
