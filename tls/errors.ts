/** Classifies the errors of the TLS library. @module */
import { TlsError } from "../socket/errors.ts";
import { type TlsVersion, versionsFrom } from "./options.ts";

// The code of the error names the alert, as it does for alerts that this side sends.
const PEER_REFUSED = "received fatal alert";
const UNTRUSTED = /CERT|SIGNATURE|ALTNAME|ISSUER|SELF_SIGNED|UNKNOWN_CA/;

// The alert, and the library's errors when this side finds no common version.
const VERSION = /ProtocolVersion|SupportedVersionsExtensionRequired|ServerDoesNotSupportTls12Or13/;

/** The context of a failed TLS handshake. */
export interface TlsAttempt {
  /** Whether the peer is known to speak TLS. */
  readonly speaksTls: boolean;
  /** The oldest version that this side supports. */
  readonly minVersion: TlsVersion;
}

/** Converts an error of the TLS library to a {@linkcode TlsError}. */
export function tlsError(cause: unknown, { speaksTls, minVersion }: TlsAttempt): TlsError {
  const code = cause instanceof Error ? String(Reflect.get(cause, "code")) : "";
  const said = cause instanceof Error ? cause.message : String(cause);
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    if (!speaksTls) return new TlsError("plain-text", "Peer speaks plain text, not TLS", { cause });
    // The rest of the library's message blames the version in any case.
    const why = said.replace(/ \(SSL routines:.*\)$/, "");
    return new TlsError("handshake", `Cannot speak TLS with the peer: ${why}`, { cause });
  }
  if (said.startsWith(PEER_REFUSED)) {
    const what = VERSION.test(said) ? versionsFrom(minVersion) : "TLS";
    return new TlsError("handshake", `Peer refused to speak ${what}: ${said}`, { cause });
  }
  if (VERSION.test(said)) {
    return new TlsError("handshake", `Peer does not speak ${versionsFrom(minVersion)}: ${said}`, { cause });
  }
  if (UNTRUSTED.test(code)) return new TlsError("untrusted", `TLS certificate refused: ${said}`, { cause });
  return new TlsError("handshake", `Cannot speak TLS with the peer: ${said}`, { cause });
}
