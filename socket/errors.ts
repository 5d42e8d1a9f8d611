/** What can go wrong with a socket, and why one ended. Pure. @module */
import { plural } from "../internal/plural.ts";

/** Why bytes could not be framed into lines or messages. */
export type FramingErrorCode =
  | "line-too-long"
  | "frame-too-long"
  | "invalid-utf8"
  | "unterminated"
  | "bad-length"
  | "bad-frame"
  | "tls";

/**
 * The bytes of a peer could not be framed; what it sends from here on has no meaning.
 *
 * @example
 * ```ts
 * import { FramingError } from "@okline/okline/socket";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new FramingError("line-too-long", "Line is over 64 bytes").code, "line-too-long");
 * ```
 */
export class FramingError extends Error {
  override readonly name = "FramingError";
  readonly code: FramingErrorCode;

  constructor(code: FramingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A peer could not be reached. `cause` is what the system said. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly code: "timeout" | "refused" | "unreachable" | "exhausted" | "tls" | "other";

  constructor(code: ConnectError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * TLS could not be set up, or broke: the certificate cannot be used (`certificate`: one of one's own; `untrusted`: the
 * peer's), the peer does not speak TLS (`plain-text`), no version or protocol is common to both, the peer refused, or sent what
 * is not its (`handshake`), it took too long (`timeout`), or the connection was closed first (`closed`). `cause` is what the
 * TLS library said.
 */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code: "certificate" | "untrusted" | "plain-text" | "handshake" | "timeout" | "closed";

  constructor(code: TlsError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A connection ended before what was asked of it was done. `reason` says how it ended. */
export class ConnectionClosedError extends Error {
  override readonly name = "ConnectionClosedError";
  readonly reason: CloseReason;
  /** Bytes given to `send` that never reached the socket. */
  readonly unsentBytes: number;

  constructor(reason: CloseReason, unsentBytes: number) {
    super(`Connection closed (${describeCloseReason(reason)}) with ${plural(unsentBytes, "byte")} unsent`);
    this.reason = reason;
    this.unsentBytes = unsentBytes;
  }
}

/** Why a connection ended; exactly one for each. */
export type CloseReason =
  /** Both sides finished: the peer's FIN was read, and everything given to `send` was written. */
  | { readonly type: "natural" }
  /** This side closed it. `why` says what for, as in `"replaced"`. */
  | { readonly type: "local"; readonly why: string }
  /** The peer reset it, or the network did. */
  | { readonly type: "reset"; readonly error: Error }
  /** TLS could not be set up with the peer. */
  | { readonly type: "tls-failed"; readonly error: TlsError }
  /** A write failed though the peer had not finished. */
  | { readonly type: "write-failed"; readonly error: Error }
  /** The peer read too slowly, and what waited for it passed the bound. */
  | { readonly type: "slow-reader"; readonly queuedBytes: number; readonly limit: number }
  /** What the peer sent could not be framed. */
  | { readonly type: "framing"; readonly error: FramingError }
  /** A timeout of this side passed: `which` one, and how long it was. */
  | { readonly type: "timeout"; readonly which: string; readonly ms: number }
  /** The peer did not show what it needs to be let in. */
  | { readonly type: "unauthorized"; readonly why: string }
  /** The code that served the connection threw. */
  | { readonly type: "handler-failed"; readonly error: Error };

/** The `type` of a {@linkcode CloseReason}: what counters go by. */
export type CloseType = CloseReason["type"];

/**
 * One line for people: `"reset: Connection reset by peer"`.
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
