/** Socket failures that end a connection. Pure. @module */
import { type CloseReason, TlsError } from "./errors.ts";

/** A failure of the reading or writing half, which becomes a {@linkcode CloseReason}. */
export type SocketFailure =
  | { readonly type: "reset" | "write-failed"; readonly cause: unknown }
  | CloseReason & { readonly type: "slow-reader" };

/** Returns the close reason for a failure. */
export function closeReasonOf(failure: SocketFailure): CloseReason {
  if (failure.type === "slow-reader") return failure;
  const { type, cause } = failure;
  if (cause instanceof TlsError) return { type: "tls-failed", error: cause };
  return { type, error: cause instanceof Error ? cause : new Error(String(cause)) };
}
