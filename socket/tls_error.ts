/** What a TLS library says, sorted. @module */
import { TlsError } from "./errors.ts";

// The code of the error names the alert, as it does where this side sends one.
const PEER_REFUSED = "received fatal alert";
const UNTRUSTED = /CERT|SIGNATURE|ALTNAME|ISSUER|SELF_SIGNED|UNKNOWN_CA/;

/** Sorts what the TLS library met with a peer that is known to speak TLS, or may not. */
export function tlsError(cause: unknown, { speaksTls }: { readonly speaksTls: boolean }): TlsError {
  const code = cause instanceof Error ? String(Reflect.get(cause, "code")) : "";
  const said = cause instanceof Error ? cause.message : String(cause);
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    if (!speaksTls) return new TlsError("plain-text", "Peer speaks plain text, not TLS", { cause });
    // The library goes on to blame the version, whatever it was.
    const why = said.replace(/ \(SSL routines:.*\)$/, "");
    return new TlsError("handshake", `Cannot speak TLS with the peer: ${why}`, { cause });
  }
  if (said.startsWith(PEER_REFUSED)) {
    return new TlsError("handshake", `Peer refused to speak TLS: ${said}`, { cause });
  }
  if (UNTRUSTED.test(code)) return new TlsError("untrusted", `TLS certificate refused: ${said}`, { cause });
  return new TlsError("handshake", `Cannot speak TLS with the peer: ${said}`, { cause });
}
