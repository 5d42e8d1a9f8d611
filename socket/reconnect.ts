/** Repeated attempts, each with a new connection. @module */
import { ConnectError } from "./errors.ts";
import type { Clock, Random, Timer } from "../internal/clock.ts";
import { type BackOff, backOffDelay } from "../internal/back_off.ts";

/** Options for {@linkcode Reconnect}, which many clients may share. */
export interface ReconnectPolicy {
  readonly clock: Clock;
  readonly random: Random;
  readonly backOff: BackOff | undefined;
  /** Maximum number of attempts. Default unlimited. */
  readonly most?: number | undefined;
}

/** Makes the attempts of a {@linkcode Reconnect}. */
export interface Attempts {
  /** Whether no further attempt is needed. */
  readonly done: boolean;
  /**
   * Begins an attempt, which calls `ended` or `failed` of its {@linkcode Reconnect} once, now or later.
   *
   * @param attempt Its number, from 1.
   */
  attempt(attempt: number): void;
  /** Connecting failed, and may succeed later. */
  notConnected(error: ConnectError): void;
  /** No further attempt will be made. `error` is that of the last one, if it could not connect. */
  over(error: ConnectError | undefined): void;
  /** `attempt` or `notConnected` threw: no further attempt will be made. */
  broken(error: unknown): void;
}

/** Observes attempts. */
export interface ReconnectObserver {
  /** An attempt begins; `attempt` counts from 1. */
  dialing?(attempt: number): void;
  /** Connecting failed. */
  notConnected?(error: ConnectError): void;
}

/** Makes attempts with delays between them until it is stopped. */
export class Reconnect {
  readonly #policy: ReconnectPolicy;
  #attempts: Attempts | undefined;
  /** The wait for the next attempt. */
  #wait: Timer | undefined;
  #stopped = false;
  #count = 0;
  #error: ConnectError | undefined;

  constructor(policy: ReconnectPolicy) {
    this.#policy = policy;
  }

  /** Number of attempts begun. */
  get count(): number {
    return this.#count;
  }

  /** Whether `stop` was called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Makes attempts until they are done, the maximum, or `stop`. Must be called only once. */
  begin(attempts: Attempts): void {
    this.#attempts = attempts;
    this.#next();
  }

  /** The connection of the present attempt is closed. */
  ended(): void {
    this.#error = undefined;
    this.#next();
  }

  /** The present attempt could not connect. It is repeated, unless the program lacks the permission. */
  failed(error: ConnectError): void {
    this.#error = error;
    // A permission that is missing stays missing.
    if (error.cause instanceof Deno.errors.NotCapable) return this.#attempts!.over(error);
    try {
      this.#attempts!.notConnected(error);
    } catch (thrown) {
      return this.#broken(thrown);
    }
    this.#next();
  }

  /**
   * Does the same as `begin` with promises. Must be called only once.
   *
   * @param attempt Connects, and settles when the connection is closed.
   * @returns The error of the last attempt, if it could not connect.
   * @throws Any error of `attempt` that is not a {@linkcode ConnectError}.
   */
  run(
    attempt: () => Promise<void>,
    done: () => boolean,
    observer: ReconnectObserver = {},
  ): Promise<ConnectError | undefined> {
    return new Promise((resolve, reject) => {
      const failed = (cause: unknown): void => {
        if (cause instanceof ConnectError) this.failed(cause);
        else reject(cause);
      };
      this.begin({
        get done() {
          return done();
        },
        attempt: (count) => {
          observer.dialing?.(count);
          attempt().then(() => this.ended()).catch(failed);
        },
        notConnected: (error) => observer.notConnected?.(error),
        over: resolve,
        broken: reject,
      });
    });
  }

  /** Begins no more attempts, and ends the wait for the next. */
  stop(): void {
    this.#stopped = true;
    if (this.#wait === undefined) return;
    this.#wait.cancel();
    this.#wait = undefined;
    this.#attempts!.over(this.#error);
  }

  #next(): void {
    const { most = Infinity, clock, random, backOff } = this.#policy;
    if (this.#stopped || this.#count >= most || this.#attempts!.done) {
      return this.#attempts!.over(this.#error);
    }
    if (this.#count === 0) return this.#attempt();
    this.#wait = clock.after(backOffDelay(this.#count, { ...backOff, random }), () => this.#attempt());
  }

  #attempt(): void {
    this.#wait = undefined;
    try {
      this.#attempts!.attempt(++this.#count);
    } catch (thrown) {
      this.#broken(thrown);
    }
  }

  #broken(thrown: unknown): void {
    this.#stopped = true;
    this.#attempts!.broken(thrown);
  }
}

/** The reason of an attempt that ends because its client was stopped. */
export function stoppedError(): ConnectError {
  return new ConnectError("other", "Cannot connect: the client was stopped");
}
