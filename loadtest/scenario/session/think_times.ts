/** The think times of one session, which end early when the run does. @module */
import type { Clock } from "../../../internal/clock.ts";
import { SessionStoppedError } from "../errors.ts";

/** Pauses in progress. */
export class ThinkTimes {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a pause is in progress. */
  get active(): boolean {
    return this.#cancels.size > 0;
  }

  /** Waits `ms`, then resolves with `due`, the instant for which the end was planned. */
  wait(ms: number, due: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const timer = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel);
      resolve(due);
    });
    const cancel = (): void => {
      timer.cancel();
      promise.catch(() => {}); // It may not be awaited.
      reject(new SessionStoppedError());
    };
    this.#cancels.add(cancel);
    return promise;
  }

  /** Rejects all pauses in progress. */
  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }
}
