/** Attempts over one connection after another, until one has done what they are for. @module */
import { ConnectError } from "./errors.ts";
import type { Clock, Random } from "../internal/clock.ts";
import { sleep } from "../internal/sleep.ts";
import { type BackOff, backOffDelay } from "../internal/back_off.ts";

/** What {@linkcode Reconnect} are told. */
export interface ReconnectPolicy {
  readonly clock: Clock;
  readonly random: Random;
  readonly backOff: BackOff | undefined;
  /** Most attempts. Default unlimited. */
  readonly most?: number | undefined;
  readonly observer: {
    /** Dialling begins; `attempt` counts from 1. */
    dialling?(attempt: number): void;
    /** Dialling failed. */
    notConnected?(error: ConnectError): void;
  };
}

/** Makes attempts, waits between them, and can be stopped. */
export class Reconnect {
  readonly #options: ReconnectPolicy;
  readonly #stopping = new AbortController();
  #count = 0;

  constructor(options: ReconnectPolicy) {
    this.#options = options;
  }

  /** How many have begun. */
  get count(): number {
    return this.#count;
  }

  /** Aborts when they are stopped; dialling is to heed it. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Makes one after the other until `done`, or there have been enough, or they are stopped. Once only.
   *
   * @param attempt Dials, and settles when the connection is closed; a {@linkcode ConnectError} makes another attempt due.
   * @returns Why the last one got no connection, where it got none.
   * @throws What else `attempt` throws.
   */
  async run(attempt: () => Promise<void>, done: () => boolean): Promise<ConnectError | undefined> {
    const { most = Infinity, observer } = this.#options;
    let error: ConnectError | undefined;
    while (!done() && !this.signal.aborted && this.#count < most) {
      if (this.#count > 0) await this.#wait();
      if (this.signal.aborted) break;
      this.#count++;
      observer.dialling?.(this.#count);
      try {
        await attempt();
        error = undefined;
      } catch (cause) {
        if (!(cause instanceof ConnectError)) throw cause;
        observer.notConnected?.(cause);
        error = cause;
      }
    }
    return error;
  }

  /** Dials and waits no more. */
  stop(): void {
    this.#stopping.abort(new ConnectError("other", "Cannot connect: the client was stopped"));
  }

  async #wait(): Promise<void> {
    const { clock, random, backOff } = this.#options;
    try {
      await sleep(backOffDelay(this.#count, { ...backOff, random }), clock, this.signal);
    } catch (error) {
      if (!this.signal.aborted) throw error;
    }
  }
}
