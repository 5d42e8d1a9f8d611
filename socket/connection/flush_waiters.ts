/** Callers that wait until everything is written. @module */

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Promises that settle together. */
export class FlushWaiters {
  #waiting: Waiter[] | undefined;

  /** Returns a promise for the next call of `resolve` or `reject`. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => (this.#waiting ??= []).push({ resolve, reject }));
  }

  resolve(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) { for (const each of waiting) each.resolve(); }
  }

  reject(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) { for (const each of waiting) each.reject(error); }
  }
}
