/** What a socket meets that ends its connection. Pure. @module */
import { type CloseReason, TlsError } from "./errors.ts";

/** What the reading or writing half met, before the connection has sorted it into a {@linkcode CloseReason}. */
export type SocketFailure =
  | { readonly type: "reset" | "write-failed"; readonly cause: unknown }
  | CloseReason & { readonly type: "slow-reader" };

/** What a failure is as the end of a connection. */
export function closeReasonOf(failure: SocketFailure): CloseReason {
  if (failure.type === "slow-reader") return failure;
  const { type, cause } = failure;
  if (cause instanceof TlsError) return { type: "tls-failed", error: cause };
  return { type, error: cause instanceof Error ? cause : new Error(String(cause)) };
}
