/** Ties a server to an abort signal. @module */

/** What can be closed. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Closes a server when a signal aborts. What `close` fails with, `finished` of the server must fail with, too.
 *
 * A signal may outlive many servers, so it does not keep them in memory. A server that runs is kept by its sockets.
 */
export function closeOnAbort(server: Closable, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const known = new WeakRef(server);
  signal.addEventListener("abort", () => void known.deref()?.close().catch(() => {}), { once: true });
}
