/** Errors of sockets, and the reasons for which connections end. Pure. @module */
import { plural } from "../internal/plural.ts";

/** The kind of a {@linkcode FramingError}. */
export type FramingErrorCode =
  | "line-too-long"
  | "frame-too-long"
  | "invalid-utf8"
  | "unterminated"
  | "bad-length"
  | "bad-frame"
  | "tls";

/**
 * Error thrown for bytes that cannot be split into frames. The rest of the stream has no meaning.
 *
 * @example
 * ```ts
 * import { FramingError } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new FramingError("line-too-long", "Line is over the limit of 64 bytes").code, "line-too-long");
 * ```
 */
export class FramingError extends Error {
  /** The name of the class. */
  override readonly name = "FramingError";
  /** The kind of error. */
  readonly code: FramingErrorCode;

  /** Creates an error of a kind. */
  constructor(code: FramingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Error thrown when a peer cannot be reached. Its `cause` is the error of the OS.
 *
 * @example
 * ```ts
 * import { connect, ConnectError } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const error = await connect({ port: 1 }).catch((error) => error);
 * assertEquals(error instanceof ConnectError && error.code, "refused");
 * ```
 */
export class ConnectError extends Error {
  /** The name of the class. */
  override readonly name = "ConnectError";
  /** The kind of error. */
  readonly code: "timeout" | "refused" | "unreachable" | "exhausted" | "tls" | "other";

  /** Creates an error of a kind. */
  constructor(code: ConnectError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Error thrown when TLS fails. The `code` is `certificate` (the own certificate is unusable), `untrusted` (the certificate
 * of the peer is), `plain-text` (the peer does not speak TLS), `handshake` (no common version or protocol, or a violation),
 * `timeout`, or `closed` (the connection was closed first). Its `cause` is the error of the TLS library.
 *
 * @example
 * ```ts
 * import { systemNetwork, TlsError } from "@okline/okline/socket";
 * import { TlsNetwork } from "@okline/okline/tls";
 * import { assertThrows } from "@std/assert";
 *
 * const identity = { certificate: "not a certificate", key: "not a key" };
 * const error = assertThrows(() => new TlsNetwork(systemNetwork, { server: { identity } }), TlsError);
 * console.log(error.code); // prints certificate
 * ```
 */
export class TlsError extends Error {
  /** The name of the class. */
  override readonly name = "TlsError";
  /** The kind of error. */
  readonly code: "certificate" | "untrusted" | "plain-text" | "handshake" | "timeout" | "closed";

  /** Creates an error of a kind. */
  constructor(code: TlsError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Error thrown when a connection ends before an operation is complete. Its `reason` is the reason for the end.
 *
 * @example
 * ```ts
 * import { connect, ConnectionClosedError, listen } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listen({ port: 0 });
 * server.serve((peer) => peer.abort());
 * const client = await connect({ port: server.port });
 * client.send("x".repeat(100));
 * client.abort();
 * const error = await client.flushed().catch((error) => error);
 * assertEquals(error instanceof ConnectionClosedError && error.unsentBytes, 101);
 * ```
 */
export class ConnectionClosedError extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionClosedError";
  /** The reason that the connection ended for. */
  readonly reason: CloseReason;
  /** Bytes passed to `send` that the socket never accepted. */
  readonly unsentBytes: number;

  /** Creates an error for a connection that ended. */
  constructor(reason: CloseReason, unsentBytes: number) {
    super(`Connection closed (${describeCloseReason(reason)}) with ${plural(unsentBytes, "byte")} unsent`);
    this.reason = reason;
    this.unsentBytes = unsentBytes;
  }
}

/** The reason for which a connection ended. Each connection has exactly one. */
export type CloseReason =
  /** Both sides finished: the peer's FIN was read, and everything passed to `send` was written. */
  | { readonly type: "natural" }
  /** This side closed it, for example because it was `"replaced"`. */
  | { readonly type: "local"; readonly why: string }
  /** The peer reset it, or the network did. */
  | { readonly type: "reset"; readonly error: Error }
  /** The TLS handshake failed. */
  | { readonly type: "tls-failed"; readonly error: TlsError }
  /** A write failed before the peer had finished. */
  | { readonly type: "write-failed"; readonly error: Error }
  /** The peer read too slowly: the pending bytes exceeded the limit. */
  | { readonly type: "slow-reader"; readonly queuedBytes: number; readonly limit: number }
  /** The input could not be split into frames. */
  | { readonly type: "framing"; readonly error: FramingError }
  /** The timeout `which` passed, after `ms`. */
  | { readonly type: "timeout"; readonly which: string; readonly ms: number }
  /** The peer did not authenticate. */
  | { readonly type: "unauthorized"; readonly why: string }
  /** The handler of the connection threw, or its codec did or broke its contract. */
  | { readonly type: "handler-failed"; readonly error: Error };

/** The reason of a connection that a server closes because it shuts down. */
export const DRAINED: CloseReason = { type: "local", why: "drained" };

/** The reason of a connection that an operator closes. */
export const CLOSED_BY_OPERATOR: CloseReason = { type: "local", why: "closed by the operator" };

/** The `type` of a {@linkcode CloseReason}. */
export type CloseType = CloseReason["type"];

/** A failure of the reading or writing half, which becomes a {@linkcode CloseReason}. */
export type SocketFailure =
  | { readonly type: "reset" | "write-failed" | "handler-failed"; readonly cause: unknown }
  | CloseReason & { readonly type: "slow-reader" };

/** The owner of the reading and the writing half of a connection. */
export interface HalfOwner {
  /** Called with the first failure of a half, and maybe with later ones. */
  fail(failure: SocketFailure): void;
  /** Called when the FIN is sent, and when input that is discarded has ended. May be called again. */
  halfEnded(): void;
}

/** Returns the close reason for a failure. */
export function closeReasonOf(failure: SocketFailure): CloseReason {
  if (failure.type === "slow-reader") return failure;
  const { type, cause } = failure;
  if (cause instanceof TlsError) return { type: "tls-failed", error: cause };
  return { type, error: cause instanceof Error ? cause : new Error(String(cause)) };
}

/**
 * Returns a close reason as one line, such as `"reset: Connection reset by peer"`.
 *
 * @example
 * ```ts
 * import { describeCloseReason } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeCloseReason({ type: "timeout", which: "idle", ms: 5000 }), "timeout: idle for 5000 ms");
 * ```
 */
export function describeCloseReason(reason: CloseReason): string {
  switch (reason.type) {
    case "natural":
      return "natural";
    case "local":
    case "unauthorized":
      return `${reason.type}: ${reason.why}`;
    case "slow-reader":
      return `slow-reader: ${plural(reason.queuedBytes, "byte")} queued, limit ${reason.limit}`;
    case "timeout":
      return `timeout: ${reason.which} for ${reason.ms} ms`;
    default:
      return `${reason.type}: ${reason.error.message}`;
  }
}

/**
 * Returns a close reason as a message to the peer: of a framing error, only what is wrong with its input; of an error of
 * the handler, only that there was one. A peer needs no message about a natural end, or about a reason of this side's own,
 * except that the server drains or an operator closes.
 *
 * @example
 * ```ts
 * import { describeToPeer, FramingError } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new FramingError("line-too-long", "Line is over the limit of 64 bytes");
 * assertEquals(describeToPeer({ type: "framing", error }), "Line is over the limit of 64 bytes");
 * assertEquals(describeToPeer({ type: "handler-failed", error: new Error("no /etc/secret") }), "internal error");
 * assertEquals(describeToPeer({ type: "natural" }), undefined);
 * ```
 */
export function describeToPeer(reason: CloseReason): string | undefined {
  switch (reason.type) {
    case "natural":
      return undefined;
    case "local":
      if (reason === DRAINED) return "server is draining";
      return reason === CLOSED_BY_OPERATOR ? reason.why : undefined;
    case "framing":
      return reason.error.message;
    case "handler-failed":
      return "internal error"; // Its message may be secret.
    default:
      return describeCloseReason(reason);
  }
}
