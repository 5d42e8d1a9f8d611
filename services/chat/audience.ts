/** Listeners of a chat room, and the pace that they allow its speakers. @module */
import type { Clock } from "../../internal/clock.ts";
import type { Connection } from "../../socket/connection.ts";
import { ConnectionClosedError } from "../../socket/errors.ts";
import type { TelnetFrame } from "./telnet.ts";

type Listener = Connection<TelnetFrame>;

/** Options for {@linkcode Audience}. */
export interface AudienceOptions {
  readonly clock: Clock;
  /** Queued bytes over which a listener is behind, as its connection has it. */
  readonly highWater: number;
  /** Longest time in ms for a listener to take what was queued when it fell behind. */
  readonly patience: number;
}

/**
 * Sends lines to listeners. After each line, the speaker waits for the listeners that are behind, so a fast speaker does not
 * overrun them. A listener that does not catch up in time is cut off as a slow reader: it delays the others only once.
 */
export class Audience {
  readonly #options: AudienceOptions;
  /** Listeners that fell behind since the last call of `caughtUp`. */
  readonly #behind = new Set<Listener>();
  readonly #waits = new Map<Listener, Promise<void>>();

  constructor(options: AudienceOptions) {
    this.#options = options;
  }

  send(listener: Listener, line: string): void {
    if (!listener.send(line) && listener.open) this.#behind.add(listener);
  }

  /** Waits until the listeners of the lines just sent have caught up. Returns `undefined` if none is behind. */
  caughtUp(): Promise<unknown> | undefined {
    if (this.#behind.size === 0) return undefined;
    const waits = [...this.#behind].map((listener) => this.#untilCaughtUp(listener));
    this.#behind.clear();
    return Promise.all(waits);
  }

  #untilCaughtUp(listener: Listener): Promise<void> {
    const begun = this.#waits.get(listener);
    if (begun) return begun;
    const wait = this.#wait(listener).finally(() => this.#waits.delete(listener));
    this.#waits.set(listener, wait);
    return wait;
  }

  async #wait(listener: Listener): Promise<void> {
    const { clock, highWater: limit, patience } = this.#options;
    const { bytesOut, queuedBytes } = listener.stats();
    const expired = Promise.withResolvers<void>();
    const timer = clock.after(patience, () => {
      const now = listener.stats();
      // A listener that others keep busy may never have an empty queue, and still keep up.
      if (now.bytesOut < bytesOut + queuedBytes) {
        listener.reset({ type: "slow-reader", queuedBytes: now.queuedBytes, limit });
      }
      expired.resolve();
    });
    try {
      await Promise.race([listener.flushed(), expired.promise]);
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    } finally {
      timer.cancel();
    }
  }
}
