/** Runs a handler for a connection. @module */
import type { Connection } from "../connection.ts";
import { ConnectionClosedError, FramingError } from "../errors.ts";

/** Serves one connection. When it returns, the connection is closed gracefully; when it throws, it is aborted. */
export type Handler<Frame = string> = (connection: Connection<Frame>) => Promise<void> | void;

/** Receives an error of a handler that the reason of its closed connection does not hold. */
export type LateErrorReport<Frame> = (error: Error, connection: Connection<Frame>) => void;

/**
 * Runs a handler once the peer is ready, and closes the connection after it. Resolves when the connection has closed and
 * the handler has returned.
 *
 * This is not an async function, because its frame would stay in memory for as long as the connection.
 */
export function serve<Frame>(
  connection: Connection<Frame>,
  handler: Handler<Frame>,
  report: LateErrorReport<Frame>,
): Promise<unknown> {
  let served: Promise<void>;
  try {
    // A peer in the middle of a TLS handshake must not get messages: it might never answer them.
    served = connection.ready === undefined
      ? Promise.resolve(handler(connection))
      : connection.ready.then((ready) => ready ? handler(connection) : undefined);
  } catch (cause) {
    served = Promise.reject(cause);
  }
  return closeAfter(served, connection, report);
}

/** Closes a connection gracefully when it is served, or aborts it if that fails. Resolves when it has closed. */
export function closeAfter<Frame>(
  served: Promise<void>,
  connection: Connection<Frame>,
  report: LateErrorReport<Frame>,
): Promise<unknown> {
  return served.then(() => connection.close(), (cause) => failed(connection, cause, report));
}

function failed<Frame>(
  connection: Connection<Frame>,
  cause: unknown,
  report: LateErrorReport<Frame>,
): Promise<unknown> | undefined {
  if (cause instanceof FramingError) return connection.close({ type: "framing", error: cause });
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (connection.open) {
    connection.abort({ type: "handler-failed", error });
    return undefined;
  }
  return connection.closed.then((reason) => {
    // The end of its own connection is not an error of the handler.
    if (error instanceof ConnectionClosedError && error.reason === reason) return;
    // A handler may close its connection for an error before it throws it. Then the end has reported it.
    if (reason.type === "handler-failed" && reason.error === error) return;
    report(error, connection);
  });
}
