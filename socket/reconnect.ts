/** Repeated attempts, each with a new connection. @module */
import { ConnectError } from "./errors.ts";
import type { Clock, Random } from "../internal/clock.ts";
import { type BackOff, backOffDelay } from "../internal/back_off.ts";

/** Options for {@linkcode Reconnect}. */
export interface ReconnectPolicy {
  readonly clock: Clock;
  readonly random: Random;
  readonly backOff: BackOff | undefined;
  /** Maximum number of attempts. Default unlimited. */
  readonly most?: number | undefined;
  readonly observer: {
    /** An attempt begins; `attempt` counts from 1. */
    dialing?(attempt: number): void;
    /** Connecting failed. */
    notConnected?(error: ConnectError): void;
  };
}

/** Makes attempts with delays between them until it is stopped. */
export class Reconnect {
  readonly #options: ReconnectPolicy;
  /** Ends the wait for the next attempt. */
  #wake: (() => void) | undefined;
  #stopped = false;
  #count = 0;

  constructor(options: ReconnectPolicy) {
    this.#options = options;
  }

  /** Number of attempts begun. */
  get count(): number {
    return this.#count;
  }

  /** Whether `stop` was called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Makes attempts until `done`, the maximum, or `stop`. Must be called only once.
   *
   * @param attempt Connects, and settles when the connection is closed. After a {@linkcode ConnectError}, it is repeated,
   * unless the program lacks the permission to connect.
   * @returns The error of the last attempt, if it could not connect.
   * @throws Any other error that `attempt` throws.
   */
  async run(attempt: () => Promise<void>, done: () => boolean): Promise<ConnectError | undefined> {
    const { most = Infinity, observer } = this.#options;
    let error: ConnectError | undefined;
    while (!done() && !this.#stopped && this.#count < most) {
      if (this.#count > 0) await this.#wait();
      if (this.#stopped) break;
      this.#count++;
      observer.dialing?.(this.#count);
      try {
        await attempt();
        error = undefined;
      } catch (cause) {
        if (!(cause instanceof ConnectError)) throw cause;
        error = cause;
        // A permission that is missing stays missing.
        if (cause.cause instanceof Deno.errors.NotCapable) break;
        observer.notConnected?.(cause);
      }
    }
    return error;
  }

  /** Begins no more attempts, and ends the wait for the next. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async #wait(): Promise<void> {
    const { clock, random, backOff } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(backOffDelay(this.#count, { ...backOff, random }), resolve);
    this.#wake = resolve;
    await promise;
    timer.cancel();
    this.#wake = undefined;
  }
}

/** The reason of an attempt that ends because its client was stopped. */
export function stoppedError(): ConnectError {
  return new ConnectError("other", "Cannot connect: the client was stopped");
}
