/** Bytes in both directions between two connections. @module */
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, ConnectionClosedError } from "../../socket/errors.ts";
import type { Clock, Timer } from "../../internal/clock.ts";

/** Options for {@linkcode tunnel}. */
export interface TunnelOptions {
  readonly clock: Clock;
  /** Longest time in ms without a byte in either direction. 0 disables. */
  readonly idleTimeout: number;
  /** Input of the first connection, if some of it was read before. Default: `client.batches()`. */
  readonly input?: AsyncIterable<readonly Uint8Array[]>;
}

/**
 * Passes bytes on in both directions until both sides have finished.
 *
 * - A half-close is passed on: a side that has finished sending may still read.
 * - Nothing is read from one side while the other does not take what it was sent, so little is held here.
 * - A reset of one side is passed on as a reset of the other. When a connection breaks in another way, the other one is
 *   reset too, unless it has received everything already: a truncated stream must not look complete. Where the sockets
 *   cannot reset ({@linkcode Connection.reset}), they are closed.
 */
export async function tunnel(
  client: Connection<Uint8Array>,
  backend: Connection<Uint8Array>,
  options: TunnelOptions,
): Promise<void> {
  const ms = options.idleTimeout;
  /** Connections that were sent everything, and a FIN. */
  const complete = new Set<Connection<Uint8Array>>();
  const breakOff = (connection: Connection<Uint8Array>, why: CloseReason) => {
    if (complete.has(connection)) connection.abort(why);
    else connection.reset(why);
  };
  const idle = new IdleTimer(options.clock, ms, () => {
    const why: CloseReason = { type: "timeout", which: "idle", ms };
    for (const connection of [client, backend]) breakOff(connection, why);
  });
  const pass = async (
    from: Connection<Uint8Array>,
    to: Connection<Uint8Array>,
    input: AsyncIterable<readonly Uint8Array[]>,
  ): Promise<void> => {
    try {
      await pump(input, to, idle);
      if (from.peerEnded && from.open && to.open) {
        complete.add(to);
        await to.closeWrite(); // Also on the side that finishes last: TLS says goodbye before its FIN.
      }
    } catch (error) {
      // Expected when a connection closes; its `closed` has the reason.
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
    for (const [ended, other] of [[from, to], [to, from]] as const) {
      if (ended.open) continue;
      const { type } = await ended.closed;
      breakOff(other, { type: "local", why: type === "reset" ? "other side was reset" : "other side ended" });
    }
  };
  try {
    await Promise.all([
      pass(client, backend, options.input ?? client.batches()),
      pass(backend, client, backend.batches()),
    ]);
  } finally {
    idle.cancel();
  }
}

async function pump(
  input: AsyncIterable<readonly Uint8Array[]>,
  to: Connection<Uint8Array>,
  idle: IdleTimer,
): Promise<void> {
  for await (const pieces of input) {
    idle.touch();
    for (const piece of pieces) to.send(piece);
    // Even below the high-water mark, because the next read overwrites the pieces.
    await to.flushed();
    idle.touch();
    if (!to.open) return;
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
