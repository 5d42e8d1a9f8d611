/** Ties a server to an abort signal. @module */

/** A server that can be closed. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Closes a server when a signal aborts. An error of `close` must also reject `finished` of the server.
 *
 * A signal may outlive many servers, so it does not keep them in memory. The sockets of a running server keep it.
 */
export function closeOnAbort(server: Closable, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const known = new WeakRef(server);
  signal.addEventListener("abort", () => void known.deref()?.close().catch(() => {}), { once: true });
}
