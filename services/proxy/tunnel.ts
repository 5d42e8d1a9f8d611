/** Bytes in both directions between two connections. @module */
import type { Connection } from "../../socket/connection.ts";
import type { Clock, Timer } from "../../internal/clock.ts";
import { Direction, type DirectionOwner } from "./direction.ts";

/** Options for {@linkcode Tunnel.connect}. */
export interface TunnelOptions {
  readonly clock: Clock;
  /** Longest time in ms without a byte in either direction. 0 disables. */
  readonly idleTimeout: number;
}

/** The owner of a tunnel. One of these calls ends it. */
export interface TunnelOwner {
  /** The client has gone before {@linkcode Tunnel.connect}. */
  clientGone(): void;
  /** Both sides have finished, or their connections have ended. */
  tunnelEnded(): void;
  /** An error that is not the end of a connection. */
  tunnelFailed(error: unknown): void;
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
 * It makes no promise unless it has to wait for a write, because many connections live only for a request.
 */
export class Tunnel implements DirectionOwner {
  readonly #owner: TunnelOwner;
  readonly #fromClient: Direction;
  #fromBackend: Direction | undefined;
  #idle: IdleTimer | undefined;
  #running = 2;
  #over = false;

  /**
   * Reads from a client that has no backend yet.
   *
   * @param start Input that was read before, if any.
   * @throws {TypeError} If something else reads from it.
   */
  constructor(client: Connection<Uint8Array>, owner: TunnelOwner, start?: Uint8Array) {
    this.#owner = owner;
    this.#fromClient = new Direction(client, this);
    if (start !== undefined && start.length > 0) this.#fromClient.hold([start]);
    client.feed(this.#fromClient);
  }

  /** Passes bytes on between the client and its backend. */
  connect(backend: Connection<Uint8Array>, { clock, idleTimeout: ms }: TunnelOptions): void {
    const fromClient = this.#fromClient;
    const fromBackend = this.#fromBackend = new Direction(backend, this, fromClient.from);
    if (ms > 0) {
      this.#idle = new IdleTimer(clock, ms, () => {
        for (const direction of [fromClient, fromBackend]) {
          direction.breakOff({ type: "timeout", which: "idle", ms });
        }
      });
    }
    try {
      fromClient.passTo(backend);
      backend.feed(fromBackend);
    } catch (error) {
      this.failed(error);
    }
  }

  touch(): void {
    this.#idle?.touch();
  }

  gone(): void {
    if (this.#finish()) this.#owner.clientGone();
  }

  failed(error: unknown): void {
    if (this.#finish()) this.#owner.tunnelFailed(error);
  }

  /** Called by each direction. Breaks off the rest of a connection whose other end has gone. */
  ended(): void {
    this.#fromClient.breakOffIfEnded();
    this.#fromBackend?.breakOffIfEnded();
    if (--this.#running === 0 && this.#finish()) this.#owner.tunnelEnded();
  }

  /** Returns `false` if it has ended before. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#idle?.cancel();
    return true;
  }
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
    this.#wait(limit);
  }

  touch(): void {
    this.#last = this.#clock.now();
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
