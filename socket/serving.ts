/** A connection in the hands of who serves it. @module */
import type { Connection } from "./connection.ts";
import { FramingError } from "./errors.ts";

/** Serves one connection: when it returns the connection is ended in order, when it throws it is closed. */
export type Handler<Frame = string> = (connection: Connection<Frame>) => Promise<void> | void;

/**
 * Runs a handler once there is somebody to serve, and ends the connection after it. Settles when it has ended.
 *
 * No async function: its frame would stay with every connection for as long as that is served.
 */
export function serveConnection<Frame>(
  connection: Connection<Frame>,
  handler: Handler<Frame>,
): Promise<unknown> {
  let served: Promise<void>;
  try {
    // Who is in the middle of a handshake may be nobody: handed messages, it would keep them from others.
    served = connection.ready === undefined
      ? Promise.resolve(handler(connection))
      : connection.ready.then((standing) => standing ? handler(connection) : undefined);
  } catch (cause) {
    served = Promise.reject(cause);
  }
  return served.then(() => connection.end(), (cause) => handlerFailed(connection, cause));
}

function handlerFailed<Frame>(connection: Connection<Frame>, cause: unknown): Promise<unknown> | undefined {
  if (cause instanceof FramingError) return connection.end({ type: "framing", error: cause });
  const error = cause instanceof Error ? cause : new Error(String(cause));
  connection.close({ type: "handler-failed", error });
  return undefined;
}
