/** Bytes both ways between two connections. @module */
import type { Connection } from "../../socket/connection.ts";
import { type CloseReason, ConnectionClosedError } from "../../socket/errors.ts";
import type { Clock, Timer } from "../../internal/clock.ts";

/** What a {@linkcode tunnel} needs besides its ends. */
export interface TunnelOptions {
  readonly clock: Clock;
  /** Longest time in ms without a byte either way; 0 for no bound. */
  readonly idleTimeout: number;
}

/**
 * Passes bytes on, both ways, until both sides have finished. One that has finished sending may go on reading: its
 * FIN is passed on like its bytes. One that does not read is not sent to, and the other is not read from meanwhile,
 * so that little is held here. When one breaks off the other is closed.
 */
export async function tunnel(
  one: Connection<Uint8Array>,
  other: Connection<Uint8Array>,
  options: TunnelOptions,
): Promise<void> {
  const close = (why: CloseReason) => {
    one.abort(why);
    other.abort(why);
  };
  const ms = options.idleTimeout;
  const idle = new IdleTimer(options.clock, ms, () => close({ type: "timeout", which: "idle", ms }));
  const pass = async (from: Connection<Uint8Array>, to: Connection<Uint8Array>): Promise<void> => {
    try {
      await pump(from, to, idle);
      // Of who finishes last as well: TLS has a farewell of its own, which closing alone would leave out.
      if (from.peerEnded && from.open && to.open) await to.closeWrite();
    } catch (error) {
      // Closed on the way, which is what `closed` is there to say.
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
    if (!from.open || !to.open) close({ type: "local", why: "other side ended" });
  };
  try {
    await Promise.all([pass(one, other), pass(other, one)]);
  } finally {
    idle.cancel();
  }
}

async function pump(
  from: Connection<Uint8Array>,
  to: Connection<Uint8Array>,
  idle: IdleTimer,
): Promise<void> {
  for await (const pieces of from.batches()) {
    idle.touch();
    for (const piece of pieces) to.send(piece);
    // Always: the next read is into the same memory.
    await to.flushed();
    idle.touch();
    if (!to.open) return;
  }
}

/** Runs something after a silence. What breaks the silence only notes the time. */
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
