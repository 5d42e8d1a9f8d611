/** Waiting that a connection's end cuts short. @module */
import type { CloseReason } from "../socket/errors.ts";
import type { Clock } from "../socket/network.ts";

/**
 * Waits.
 *
 * @param ms How long.
 * @param closed What ends the wait early.
 * @returns Whether the time has passed; `false` if `closed` came before.
 */
export async function pauseUnlessClosed(
  ms: number,
  closed: Promise<CloseReason>,
  clock: Clock,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = clock.after(ms, () => resolve(true));
  try {
    return await Promise.race([promise, closed.then(() => false)]);
  } finally {
    timer.cancel();
  }
}
