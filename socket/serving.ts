/** A connection in the hands of who serves it. @module */
import type { Connection } from "./connection.ts";
import { ConnectionClosedError, FramingError } from "./errors.ts";

/** Serves one connection: when it returns the connection is ended in order, when it throws it is closed. */
export type Handler<Frame = string> = (connection: Connection<Frame>) => Promise<void> | void;

/** Who serves connections, and who is told what no close reason can tell any more. */
export interface Serving<Frame> {
  readonly handler: Handler<Frame>;
  /** Told what the handler throws after its connection has ended. */
  readonly failedLate: (connection: Connection<Frame>, error: Error) => void;
}

/**
 * Runs a handler once there is somebody to serve, and ends the connection after it. Settles when it has ended.
 *
 * No async function: its frame would stay with every connection for as long as that is served.
 */
export function serveConnection<Frame>(
  connection: Connection<Frame>,
  serving: Serving<Frame>,
): Promise<unknown> {
  let served: Promise<void>;
  try {
    // Who is in the middle of a handshake may be nobody: handed messages, it would keep them from others.
    served = connection.ready === undefined
      ? Promise.resolve(serving.handler(connection))
      : connection.ready.then((standing) => standing ? serving.handler(connection) : undefined);
  } catch (cause) {
    served = Promise.reject(cause);
  }
  return served.then(() => connection.close(), (cause) => handlerFailed(connection, cause, serving));
}

function handlerFailed<Frame>(
  connection: Connection<Frame>,
  cause: unknown,
  { failedLate }: Pick<Serving<Frame>, "failedLate">,
): Promise<unknown> | undefined {
  if (cause instanceof FramingError) return connection.close({ type: "framing", error: cause });
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (connection.open) {
    connection.abort({ type: "handler-failed", error });
    return undefined;
  }
  return connection.closed.then((reason) => {
    // That it has ended is no news, and no mistake of the handler's.
    if (error instanceof ConnectionClosedError && error.reason === reason) return;
    failedLate(connection, error);
  });
}
