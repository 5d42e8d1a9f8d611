/** A delay that can be aborted. @module */
import type { Clock } from "./clock.ts";

/**
 * Waits for `ms`.
 *
 * @throws The reason of the signal, if it aborts first.
 */
export async function sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const aborted = () => reject(signal.reason);
  const timer = clock.after(ms, resolve);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    await promise;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", aborted);
  }
}
